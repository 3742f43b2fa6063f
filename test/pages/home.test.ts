import { expect, test } from 'vitest';
import { signIn } from '../support/flow.js';
import { startIdp } from '../support/idp.js';

test('a new server says that it waits for its operator, and does not show the link', async () => {
  const idp = await startIdp();
  const { status, html } = await idp.browser().get('/');
  expect([status, html.includes('the link that it printed in its terminal')]).toEqual([200, true]);
  expect(html).not.toContain('/claim');
});

test('a claimed server offers to sign in', async () => {
  const idp = await startIdp();
  await idp.addUser({ roles: ['admin'] });
  const { html } = await idp.browser().get('/');
  expect(html).toContain('You are not signed in');
  expect(html).toContain('href="/login"');
  expect(html).not.toContain('npx sallyport');
});

test('a sign-in without a request ends there (decisions 22)', async () => {
  const idp = await startIdp();
  await idp.addUser();
  const browser = idp.browser();
  const page = await signIn(browser, await browser.get('/login'));
  expect([page.status, new URL(page.url).pathname]).toEqual([200, '/']);
  expect(page.html).toContain('Ada Lovelace');
  expect(page.html).not.toContain('npx sallyport'); // only for administrators
});

test.each([
  [['admin'], true],
  [['editor', 'admin'], true],
  [['administrator'], false],
  [['Admin'], false],
  [[], false],
])('with the roles %j what to do next is shown: %s', async (roles, shown) => {
  const idp = await startIdp();
  await idp.addUser({ roles });
  const browser = idp.browser();
  const { html } = await signIn(browser, await browser.get('/login'));
  expect(html.includes('npx sallyport clients add')).toBe(shown);
  expect(html.includes(`${idp.issuer}/.well-known/openid-configuration`)).toBe(shown);
});

test('under an issuer with a path everything is there', async () => {
  const idp = await startIdp({ settings: { ISSUER: 'https://id.example/sso' } });
  await idp.addUser({ roles: ['admin'] });
  const browser = idp.browser();
  expect((await browser.get('/sso/')).html).toContain('href="/sso/login"');
  const page = await signIn(browser, await browser.get('/sso/login'));
  expect([page.status, new URL(page.url).pathname]).toEqual([200, '/sso/']);
  const signedOut = await browser.submit(page, { action: 'sign_out' });
  expect(new URL(signedOut.url).pathname).toBe('/sso/signed-out');
});

test('it signs out, and asks again where the form is not from here (hardening 33)', async () => {
  const idp = await startIdp();
  await idp.addUser();
  const browser = idp.browser();
  const page = await signIn(browser, await browser.get('/login'));
  const refused = await browser.post('/logout/confirm', { csrf: 'x', action: 'sign_out' });
  expect([refused.status, refused.html.includes('Sign out?')]).toEqual([403, true]);
  const { html } = await browser.submit(page, { action: 'sign_out' });
  expect(html).toContain('You are signed out');
});

test('pages are kept nowhere, framed nowhere, and load nothing from elsewhere (HTTP-16)', async () => {
  const idp = await startIdp();
  const { headers, html } = await idp.browser().get('/');
  expect(headers.get('cache-control')).toBe('no-store');
  expect(headers.get('x-frame-options')).toBe('DENY');
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('referrer-policy')).toBe('same-origin');
  expect(headers.get('content-security-policy')).toBe(
    "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; base-uri 'none'; frame-ancestors 'none'",
  );
  expect(html).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
});
