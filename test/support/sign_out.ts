/** Requests to sign out at the end session endpoint, and what comes of them. OpenID Connect RP-Initiated Logout 1.0. */
import { expect } from 'vitest';
import type { Browser, Page } from './browser.js';
import { getTokens } from './flow.js';
import { type Form, formBody, type IdpOptions, startIdp } from './idp.js';

export const bye = 'https://shop.example/bye';
export const byeWithQuery = 'https://shop.example/bye?from=sallyport';

/** Somebody who is signed in to an application that may send them back after a sign-out. */
export async function started(options: IdpOptions = {}) {
  const idp = await startIdp(options);
  await idp.addUser();
  const shop = await idp.addClient({ post_logout_redirect_uris: [bye, byeWithQuery] }, 'shop');
  const browser = idp.browser();
  const tokens = await getTokens(idp, shop, { scope: 'openid offline_access' }, browser);
  return { idp, shop, browser, tokens, id_token_hint: tokens.id_token };
}

export function logoutUrl(parameters: Form): string {
  return `/logout?${formBody(parameters)}`;
}

export async function isSignedIn(browser: Browser): Promise<boolean> {
  return (await browser.get('/')).html.includes('You are signed in');
}

/** What happened, in a word and, where the browser was sent away, whereto. */
export function outcomeOf({ status, headers, html }: Page): readonly unknown[] {
  if (status === 303) return ['sent away', headers.get('location')];
  const heading = /<h1[^>]*>([^<]*)/.exec(html)?.[1];
  return [status, heading];
}

export const signedOut = [200, 'You are signed out'];
export const refused = [400, expect.stringContaining('does not work')];
