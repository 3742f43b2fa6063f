/** Passwords that were forgotten, in tests. */
import { expect } from 'vitest';
import type { Browser, Page } from './browser.js';
import { signIn } from './flow.js';
import { startIdp, type TestIdp } from './idp.js';
import { linkIn } from './mails.js';

export const fresh = 'glacier-turnip-accordion-mild';

export async function ask(browser: Browser, email = 'ada@example.com'): Promise<Page> {
  return browser.submit(await browser.get('/forgot-password'), { email });
}

/** Somebody who asked for a link, and the path that it leads to. */
export async function asked(options: Parameters<typeof startIdp>[0] = {}) {
  const idp = await startIdp(options);
  const user = await idp.addUser({ email_verified: false });
  const browser = idp.browser();
  expect((await ask(browser)).html).toContain('Check your mail');
  return { idp, user, browser, path: await linkIn(idp) };
}

export async function reset(browser: Browser, path: string, password = fresh): Promise<Page> {
  return browser.submit(await browser.get(path), { password });
}

export const worksWith = async (idp: TestIdp, password: string) => {
  const browser = idp.browser();
  return (await signIn(browser, await browser.get('/login'), { password })).status === 200;
};
