/** What integrators of single-page applications use, oidc-client-ts, in a real browser (decisions 20). */
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { follow, typeCredentials, type Visit } from '../support/chromium.js';
import { password } from '../support/idp.js';
import { call, heard, leave, signInByRedirect, startSpa } from '../support/spa.js';

/** It asks four times a second: tests do not wait for the usual two seconds. */
const watching = { monitorSession: true, checkSessionIntervalInSeconds: 0.25 };
/** It renews its tokens, which are good for ten minutes, a second after it got them. */
const renewing = { automaticSilentRenew: true, accessTokenExpiringNotificationTimeInSeconds: 599 };
/** Without refresh tokens, as applications that renew by a frame are registered. */
const codeOnly = { grant_types: ['authorization_code'] };

async function inNewTab(visit: Visit, url: string, act: (tab: Page) => Promise<void>): Promise<void> {
  const tab = await visit.newTab();
  await tab.goto(url);
  await act(tab);
  await tab.close();
}

const signOut = (tab: Page) => follow(tab, '#sign-out');
const signInAgain = (tab: Page, email?: string) =>
  leave(tab, `signinRedirect({ prompt: 'login' })`, () => typeCredentials(tab, { ...(email && { email }) }));
const nothing = async () => undefined;
const lastAnswer = (page: Page, answer: string) => page.waitForFunction(`answers.at(-1) === '${answer}'`);

test('it signs in by a redirect with PKCE, reads userinfo, renews by a refresh token, revokes and signs out (HTTP-15, RFT-03, RIL-03)', async () => {
  const settings = { loadUserInfo: true, scope: 'openid email', revokeTokensOnSignout: true };
  const { idp, page, requests } = await startSpa({ settings });
  const first = await signInByRedirect(page);
  expect(first.profile.email).toBe('ada@example.com');
  expect(requests).toEqual(['authorize', 'token authorization_code']);

  const renewed = await call(page, 'signinSilent');
  expect(renewed.access_token).not.toBe(first.access_token);
  expect(requests.slice(2)).toEqual(['token refresh_token']);
  expect((await idp.userinfo(renewed.access_token)).status).toBe(200);

  await leave(page, `signoutRedirect({ state: 'kept' })`, nothing);
  expect(await call(page, 'getUser')).toEqual({});
  expect((await idp.userinfo(renewed.access_token)).status).toBe(401);
});

test('it signs in by a popup, which our pages leave connected to its opener (AUT-18, SMG-04)', async () => {
  const { page } = await startSpa({ settings: watching });
  const signIn = async (popup: Page) => {
    await popup.fill('#email', 'ada@example.com');
    await popup.fill('#password', password);
    expect(await popup.evaluate('opener !== null')).toBe(true);
    await Promise.all([popup.waitForEvent('close'), popup.click('#sign-in')]);
  };
  const opened = page.waitForEvent('popup');
  const [{ error }] = await Promise.all([call(page, 'signinPopup'), opened.then(signIn)]);
  expect(error).toBeUndefined();
  await lastAnswer(page, 'unchanged');
});

describe('it renews by a hidden frame', () => {
  test('before its tokens end, and no page is shown in it (INT-01, HTTP-19)', async () => {
    const { page, requests } = await startSpa({ metadata: codeOnly, settings: renewing });
    await signInByRedirect(page);
    await page.waitForFunction(`events.length > 0`);
    expect(await page.evaluate('events[0]')).toBe('userLoaded');
    expect(requests.slice(2, 4)).toEqual(['authorize prompt=none', 'token authorization_code']);
  });

  test('with the answers at one host and its scripts at another, one of allowed_origins (HTTP-15)', async () => {
    const { idp, visit, page } = await startSpa({ answers_host: 'answers.sp.localhost', metadata: codeOnly });
    expect((await call(page, 'signinSilent')).error).toBe('login_required');
    await inNewTab(visit, `${idp.issuer}/login`, typeCredentials);
    expect((await call(page, 'signinSilent')).error).toBeUndefined();
  });
});

describe('with monitorSession it hears', () => {
  test('that its person has signed in again, which ends nothing, and has signed out, each once (SMG-02, SMG-04)', async () => {
    const { idp, own, visit, page, requests } = await startSpa({ settings: watching });
    await signInByRedirect(page);
    await lastAnswer(page, 'unchanged');
    requests.length = 0;
    await inNewTab(visit, own, signInAgain);
    await heard(page, 'userSessionChanged');
    await lastAnswer(page, 'unchanged');
    await inNewTab(visit, `${idp.issuer}/logout`, signOut);
    await heard(page, 'userSessionChanged', 'userSignedOut');
    expect(requests).toEqual([
      'authorize prompt=none',
      'token authorization_code',
      'authorize prompt=none', // login_required
    ]);
  });

  test('that somebody has signed in, also before it knows anybody, and that it is somebody else now (SMG-02, SMG-04)', async () => {
    const settings = { ...watching, monitorAnonymousSession: true };
    const { idp, own, visit, page } = await startSpa({ settings });
    await idp.addUser({ email: 'bob@example.com' });
    await lastAnswer(page, 'unchanged');
    await inNewTab(visit, `${idp.issuer}/login`, typeCredentials);
    await heard(page, 'userSignedIn');
    expect((await call(page, 'signinSilent')).error).toBeUndefined();
    await lastAnswer(page, 'unchanged');
    await inNewTab(visit, own, (tab) => signInAgain(tab, 'bob@example.com'));
    await heard(page, 'userSignedIn', 'userLoaded', 'userSignedOut');
  });
});

describe('on another site, where the browser withholds third-party cookies,', () => {
  const host = 'spa.other.localhost';

  test('a hidden frame gets login_required, once, and monitoring signs nobody out (INT-01, SMG-02)', async () => {
    const settings = { ...watching, ...renewing, stopCheckSessionOnError: false };
    const { page, requests } = await startSpa({ host, settings, metadata: codeOnly });
    await signInByRedirect(page);
    await heard(page, 'silentRenewError login_required');
    const before: number = await page.evaluate('answers.length');
    await page.waitForFunction(`answers.length > ${before + 2}`);
    expect(await page.evaluate('[...new Set(answers)]')).toEqual(['error']);
    await heard(page, 'silentRenewError login_required');
    expect(requests.slice(2)).toEqual(['authorize prompt=none']);
  });

  test('a refresh token renews all the same, and a redirect with prompt=none finds the session (HTTP-15, INT-01)', async () => {
    const { page } = await startSpa({ host });
    const first = await signInByRedirect(page);
    const renewed = await call(page, 'signinSilent');
    expect(renewed.access_token).not.toBe(first.access_token);
    await call(page, 'removeUser');
    await leave(page, `signinRedirect({ prompt: 'none' })`, nothing);
    expect((await call(page, 'getUser')).profile.sub).toBe(first.profile.sub);
  });
});
