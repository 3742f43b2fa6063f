/** /logout: here, then at the server. OpenID Connect RP-Initiated Logout §2. */
import { describe, expect, test } from 'vitest';
import { app_origin, locationOf, refusalOf, startSignInApp } from '../../support/sign_in.js';

async function signedIn(options: Parameters<typeof startSignInApp>[0] = {}) {
  const app = await startSignInApp(options);
  const browser = app.visitor();
  await browser.signIn();
  return { ...app, browser };
}

describe('a sign-out', () => {
  test('ends the session here and at the server, and comes back without a question', async () => {
    const { browser, idp } = await signedIn();
    const person = await browser.person();
    const cookies = new Map(browser.cookies);
    const url = locationOf(await browser.post('/logout', {}));
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      id_token_hint: person?.id_token,
      post_logout_redirect_uri: `${app_origin}/bye`,
    });
    const page = await browser.server.get(url.pathname + url.search);
    expect([page.status, page.headers.get('location')]).toEqual([303, `${app_origin}/bye`]);
    for (const [name, value] of cookies) browser.cookies.set(name, value); // as on a stolen copy
    expect(await browser.person()).toBeNull();
    expect((await idp.userinfo(person?.access_token ?? '')).status).toBe(401);
  });

  test('here alone leaves the session at the server', async () => {
    const { browser } = await signedIn();
    expect(locationOf(await browser.post('/logout', { here: '1' })).href).toBe(`${app_origin}/bye`);
    expect(await browser.person()).toBeNull();
    await browser.signIn('?silent=1');
    expect(await browser.person()).not.toBeNull();
  });

  test('by GET asks first, and its form signs out', async () => {
    const { browser } = await signedIn();
    const page = await browser.send('/logout');
    expect(page.status).toBe(200);
    expect(await page.text()).toContain('<form method="post" action="/logout">');
    expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(await browser.person()).not.toBeNull();
  });

  test.each(['GET', 'POST'])('of nobody by %s ends where the others do', async (method) => {
    const { visitor } = await startSignInApp();
    const headers = { origin: app_origin };
    expect(locationOf(await visitor().send('/logout', { method, headers })).href).toBe(`${app_origin}/bye`);
  });

  test('while the server is out of reach ends the session here', async () => {
    const { browser, errors, options, sessions, traffic } = await signedIn();
    traffic.instead = () => {
      throw new TypeError('fetch failed');
    };
    const { createSignIn } = await import('../../../src/relying_party/sign_in/index.js');
    const restarted = createSignIn({ ...options, sessions });
    const cookie = [...browser.cookies].map((pair) => pair.join('=')).join('; ');
    const response = await restarted.logout(
      new Request(`${app_origin}/logout`, { method: 'POST', headers: { cookie, origin: app_origin } }),
    );
    expect(locationOf(response).href).toBe(`${app_origin}/bye`);
    expect([await browser.person(), errors.map(({ code }) => code)]).toEqual([
      null,
      ['provider_unreachable'],
    ]);
  });

  test('at a provider without an end_session_endpoint ends here', async () => {
    const app = await startSignInApp();
    app.traffic.instead = async (url, init) => {
      if (!url.pathname.startsWith('/.well-known/')) return undefined as never;
      const { end_session_endpoint: _, ...document } = (await (await fetch(url, init)).json()) as {
        end_session_endpoint: string;
      };
      return Response.json(document);
    };
    const browser = app.visitor();
    await browser.signIn();
    expect(locationOf(await browser.post('/logout', {})).href).toBe(`${app_origin}/bye`);
  });
});

describe('a form of another site', () => {
  test.each([
    ['by Fetch Metadata', { 'sec-fetch-site': 'cross-site', origin: app_origin }],
    ['of another host of this site', { 'sec-fetch-site': 'same-site', origin: app_origin }],
    ['by Origin', { origin: 'https://attacker.example' }],
    ['without an origin', { origin: 'null' }],
    ['that does not say where it is from', {}],
  ])('%s signs nobody out', async (_, headers) => {
    const { browser } = await signedIn();
    expect(await refusalOf(await browser.post('/logout', {}, headers))).toEqual([403, 'cross_site']);
    expect(await browser.person()).not.toBeNull();
  });

  test.each(['same-origin', 'none'])('is not one whose Sec-Fetch-Site is %s', async (site) => {
    const { browser } = await signedIn();
    await browser.post('/logout', {}, { 'sec-fetch-site': site, origin: 'null' });
    expect(await browser.person()).toBeNull();
  });
});
