/** People who make accounts of their own. */
import type { Browser, Page } from './browser.js';
import { type IdpOptions, startIdp } from './idp.js';

/** Of whoever makes an account. */
export const new_password = 'glacier-turnip-accordion-mild';

/** A server at which everybody may make an account. */
export const startOpen = (options: IdpOptions = {}) =>
  startIdp({ ...options, settings: { USER_REGISTRATION: 'open', ...options.settings } });

/** Asks for an account, and gives the page that follows. */
export async function ask(
  browser: Browser,
  email = 'grace@example.com',
  path = '/register-account',
): Promise<Page> {
  return browser.submit(await browser.get(path), { email });
}

/** Makes one by the link of a mail. */
export const create = async (browser: Browser, path: string, fields: object = {}): Promise<Page> =>
  browser.submit(await browser.get(path), { name: 'Grace Hopper', password: new_password, ...fields });
