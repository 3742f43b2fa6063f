import { decodeJwt } from 'jose';
import { describe, expect, test } from 'vitest';
import { answerOf, ask, codeOf, kindOf, methods, signedInBrowser } from '../support/authorize.js';
import { attribute, formOf } from '../support/browser.js';
import { authorizeUrl, redeem, responseOf, signIn } from '../support/flow.js';
import { code_challenge, redirect_uri, startIdp } from '../support/idp.js';
import { withoutPkce } from '../support/shop.js';

describe.each(methods)('by %s, a good request', (method) => {
  test('is answered with a code, the state as it came, and iss (RFC 6749 §4.1.2, RFC 9207 §2, AUT-09, AUT-10, BCP-06, BCP-07, HTTP-09)', async () => {
    const idp = await startIdp();
    await idp.addUser();
    await idp.addClient({}, 'shop');
    const page = await ask(await signedInBrowser(idp), 'shop', {}, method);
    expect(responseOf(page)).toEqual({
      code: expect.stringMatching(/^[\w-]{43}$/),
      state: 's1',
      iss: idp.issuer,
    });
    expect(page.headers.get('location')).toMatch(/^https:\/\/shop\.example\/cb\?code=[^#]*$/);
    expect(page.headers.get('cache-control')).toBe('no-store');
    expect(page.headers.get('referrer-policy')).toBe('no-referrer');
  });

  test('signs in who is not, and ends the same way', async () => {
    const idp = await startIdp();
    await idp.addUser();
    await idp.addClient({}, 'shop');
    const browser = idp.browser();
    const login = await ask(browser, 'shop', {}, method);
    expect(kindOf(login)).toBe('/login');
    expect(answerOf(await signIn(browser, login))).toEqual({
      code: expect.any(String),
      state: 's1',
      iss: idp.issuer,
    });
  });

  test('carries no state if none was sent (AUT-09)', async () => {
    const idp = await startIdp();
    await idp.addUser();
    await idp.addClient({}, 'shop');
    const page = await ask(await signedInBrowser(idp), 'shop', { state: undefined }, method);
    expect(Object.keys(responseOf(page)).sort()).toEqual(['code', 'iss']);
  });

  test('is not disturbed by what is unknown, unsupported or asks for comfort (AUT-08, AUT-18)', async () => {
    const idp = await startIdp();
    await idp.addUser();
    await idp.addClient({}, 'shop');
    const page = await ask(
      await signedInBrowser(idp),
      'shop',
      {
        display: 'hologram',
        ui_locales: 'tlh de-CH-1996 not_a_tag',
        claims_locales: 'xx',
        acr_values: 'urn:example:gold',
        login_hint: 'somebody@example.com',
        utm_source: ['a', 'b'],
        audience: 'https://api.example',
        scope: 'openid make:coffee',
      },
      method,
    );
    expect(codeOf(page)).not.toBe('');
  });

  test('is answered by form_post with 200, nothing in the query, and a page that submits itself (Form Post §2, AUT-13)', async () => {
    const idp = await startIdp();
    await idp.addUser();
    await idp.addClient({}, 'shop');
    const state = '"><script>alert(1)</script> & \'';
    const page = await ask(await signedInBrowser(idp), 'shop', { response_mode: 'form_post', state }, method);

    expect([page.status, page.headers.get('location')]).toEqual([200, null]);
    expect(formOf(page.html)).toEqual({
      action: redirect_uri,
      hidden: { code: expect.stringMatching(/^[\w-]{43}$/), state, iss: idp.issuer },
    });
    expect(page.html).toContain('<form method="post"');
    expect(page.html).toMatch(/<noscript>[\s\S]*<button[^>]*type="submit"/);
    expect(page.html).not.toContain('<script>');
    expect(page.headers.get('cache-control')).toBe('no-store');
    expect(page.headers.get('referrer-policy')).toBe('no-referrer');
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("script-src 'self'");
    expect(policy).not.toContain('unsafe-inline');
    const script = /<script[^>]*>/.exec(page.html)?.[0] ?? '';
    expect((await idp.fetch(attribute(script, 'src'))).status).toBe(200);
  });

  test('form_post keeps the query that the redirect URI was registered with, in the action (AUT-05, AUT-13)', async () => {
    const idp = await startIdp();
    await idp.addUser();
    await idp.addClient({ redirect_uris: [`${redirect_uri}?tenant=1`] }, 'shop');
    const changes = { redirect_uri: `${redirect_uri}?tenant=1`, response_mode: 'form_post' };
    const page = await ask(await signedInBrowser(idp), 'shop', changes, method);
    expect(formOf(page.html).action).toBe(`${redirect_uri}?tenant=1`);
  });

  test('a query that the redirect URI was registered with is kept, byte for byte (AUT-05)', async () => {
    const idp = await startIdp();
    await idp.addUser();
    const registered = `${redirect_uri}?tenant=a%2fb+c&x`;
    await idp.addClient({ redirect_uris: [registered] }, 'shop');
    const browser = await signedInBrowser(idp);
    const page = await ask(browser, 'shop', { redirect_uri: registered }, method);
    expect(page.headers.get('location')?.startsWith(`${registered}&code=`)).toBe(true);
    const refused = await ask(browser, 'shop', { redirect_uri: registered, response_type: 'x' }, method);
    expect(refused.headers.get('location')?.startsWith(`${registered}&error=`)).toBe(true);
  });

  test('a native client comes back on whatever loopback port it got (RFC 8252 §7.3, AUT-04)', async () => {
    const idp = await startIdp({ settings: { ISSUER: 'https://id.example' } });
    await idp.addUser();
    await idp.addClient({ application_type: 'native', redirect_uris: ['http://127.0.0.1/cb'] }, 'tool');
    const browser = await signedInBrowser(idp);
    const back = await ask(browser, 'tool', { redirect_uri: 'http://127.0.0.1:51004/cb' }, method);
    expect(back.headers.get('location')).toMatch(/^http:\/\/127\.0\.0\.1:51004\/cb\?code=/);
    const elsewhere = await ask(browser, 'tool', { redirect_uri: 'http://127.0.0.1:99999/cb' }, method);
    expect(elsewhere.status).toBe(400);
  });
});

test('a POST from another site, which carries no Lax cookie, finds the session all the same (HTTP-19, decisions 16)', async () => {
  const idp = await startIdp();
  await idp.addUser();
  await idp.addClient({}, 'shop');
  const browser = await signedInBrowser(idp);
  const session = browser.cookies.get('sallyport_session');
  const body = new URLSearchParams(authorizeUrl('shop').split('?')[1]);

  const posted = await idp.fetch('/authorize', {
    method: 'POST',
    body,
    headers: { origin: 'https://shop.example' },
  });
  expect(posted.status).toBe(303);
  expect(posted.headers.getSetCookie()).toEqual([]); // the cookies it could not send are not replaced
  const location = posted.headers.get('location') ?? '';
  expect(location).toMatch(/^\/authorize\/resume\?request=/);
  expect(codeOf(await browser.get(location))).not.toBe('');
  expect(browser.cookies.get('sallyport_session')).toBe(session);
});

describe('state and nonce (hardening, numbers)', () => {
  /** 2,048 characters, each of the printable ones in turn. */
  const long = Array.from({ length: 2048 }, (_, i) => String.fromCharCode(0x20 + (i % 95))).join('');

  test.each([...methods])(
    'of 2,048 characters come back byte for byte, by %s, with a sign-in in between (AUT-09, IDT-04)',
    async (method) => {
      const idp = await startIdp();
      await idp.addUser();
      const shop = await idp.addClient({}, 'shop');
      const browser = idp.browser();
      const page = await signIn(browser, await ask(browser, 'shop', { state: long, nonce: long }, method));
      expect(responseOf(page).state).toBe(long);
      const { body } = await redeem(idp, shop, codeOf(page));
      expect(decodeJwt(body.id_token).nonce).toBe(long);
    },
  );

  test.each(['query', 'form_post'])(
    'of 2,048 characters come back in an error too, by %s (protocol.md §29.3, AUT-09)',
    async (response_mode) => {
      const idp = await startIdp();
      await idp.addClient({}, 'shop');
      const page = await ask(idp.browser(), 'shop', { state: long, prompt: 'none', response_mode });
      expect(answerOf(page)).toMatchObject({ error: 'login_required', state: long, iss: idp.issuer });
    },
  );

  test.each(['state', 'nonce'])(
    'a %s of 2,049 characters is invalid_request, and never cut',
    async (name) => {
      const idp = await startIdp();
      await idp.addClient({}, 'shop');
      const answer = answerOf(await ask(idp.browser(), 'shop', { [name]: `${long}x` }));
      expect(answer).toMatchObject({
        error: 'invalid_request',
        error_description: `${name} is longer than 2048 characters`,
      });
      expect(answer.state).toBe(name === 'state' ? undefined : 's1');
    },
  );

  test.each([
    ['an umlaut and an emoji', 'ü 🚪 \u202e'],
    ['what looks like a parameter', '&code=evil&x=%26#y'],
    ['line feeds', 'a\r\nSet-Cookie: evil=1\r\n\r\n<b>'],
    ['a plus and a space', 'a+b c'],
  ])('%s come back as they came (AUT-09)', async (_, state) => {
    const idp = await startIdp();
    await idp.addUser();
    await idp.addClient({}, 'shop');
    const page = await ask(await signedInBrowser(idp), 'shop', { state });
    expect(responseOf(page)).toEqual({ code: expect.any(String), state, iss: idp.issuer });
    expect(page.headers.get('set-cookie')).toBeNull();
  });
});

describe('what the code is for', () => {
  test('without openid there is no ID token (AUT-07)', async () => {
    const idp = await startIdp();
    await idp.addUser();
    const shop = await idp.addClient({}, 'shop');
    const code = codeOf(await ask(await signedInBrowser(idp), 'shop', { scope: 'email' }));
    const { body } = await redeem(idp, shop, code);
    expect([body.id_token, body.scope]).toEqual([undefined, 'email']);
  });

  test('a scope of which nothing can be granted is refused, an unknown word beside others is ignored (AUT-07)', async () => {
    const idp = await startIdp();
    await idp.addUser();
    await idp.addClient({}, 'shop');
    const browser = await signedInBrowser(idp);
    expect(answerOf(await ask(browser, 'shop', { scope: 'make:coffee' })).error).toBe('invalid_scope');
    for (const scope of ['openid make:coffee', undefined])
      expect(codeOf(await ask(browser, 'shop', { scope }))).not.toBe('');
  });

  test('the scope may come in any order (AUT-07)', async () => {
    const idp = await startIdp();
    await idp.addUser();
    const shop = await idp.addClient({}, 'shop');
    const code = codeOf(await ask(await signedInBrowser(idp), 'shop', { scope: 'email profile openid' }));
    const { body } = await redeem(idp, shop, code);
    expect(decodeJwt(body.id_token)).toMatchObject({ email: 'ada@example.com' });
  });

  test('a confidential client that registered so may do without PKCE (protocol.md §30.1)', async () => {
    const idp = await startIdp();
    await idp.addUser();
    const shop = await idp.addClient({ require_pkce: false }, 'shop');
    const browser = await signedInBrowser(idp);
    const without = codeOf(await ask(browser, 'shop', withoutPkce));
    expect((await redeem(idp, shop, without, { code_verifier: undefined })).status).toBe(200);
    const withChallenge = codeOf(await ask(browser, 'shop', { code_challenge }));
    const downgraded = await redeem(idp, shop, withChallenge, { code_verifier: undefined });
    expect(downgraded.body.error).toBe('invalid_grant');
  });

  test('the answer of prompt=none may be framed, a login page never (protocol.md §30.7, HTTP-16)', async () => {
    const idp = await startIdp();
    await idp.addUser();
    await idp.addClient({}, 'shop');
    const browser = await signedInBrowser(idp);
    for (const response_mode of ['query', 'form_post']) {
      const silent = await ask(browser, 'shop', { prompt: 'none', response_mode });
      expect(silent.headers.get('x-frame-options')).toBeNull();
      expect(silent.headers.get('content-security-policy') ?? '').not.toContain('frame-ancestors');
    }
    const login = await ask(idp.browser(), 'shop');
    expect(login.headers.get('x-frame-options')).toBe('DENY');
    expect(login.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
  });
});
