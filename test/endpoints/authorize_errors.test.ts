import { beforeEach, describe, expect, test } from 'vitest';
import { disableClient } from '../../src/actions/clients.js';
import {
  answerOf,
  ask,
  expectErrorPage,
  headingOf,
  kindOf,
  methods,
  signedInBrowser,
} from '../support/authorize.js';
import { formOf, unescapeHtml } from '../support/browser.js';
import { authorizeUrl } from '../support/flow.js';
import { type Form, redirect_uri, startIdp, type TestIdp } from '../support/idp.js';
import { tamperedRedirectUris, untamperedRedirectUri } from '../support/redirect_uris.js';

describe.each(methods)('by %s, an error is a page', (method) => {
  let idp: TestIdp;
  beforeEach(async () => {
    idp = await startIdp();
    await idp.addClient({ redirect_uris: [untamperedRedirectUri] }, 'shop');
  });

  test.each<[string, string | undefined, Form]>([
    ['missing', undefined, {}],
    ['empty', '', {}],
    ['unknown', 'nobody', {}],
    ['in capitals', 'SHOP', {}],
    ['followed by a space', 'shop ', {}],
    ['outside ASCII', 'shöp', {}],
    ['sent twice', 'shop', { client_id: ['shop', 'shop'] }],
    ['longer than any', 'x'.repeat(3000), {}],
    ['a piece of SQL', "' or ''='", {}],
  ])('where client_id is %s (protocol.md AUT-02)', async (_, client_id, changes) => {
    const request = { redirect_uri: untamperedRedirectUri, ...changes };
    expectErrorPage(await ask(idp.browser(), client_id, request, method));
  });

  test('where the client is disabled (AUT-02)', async () => {
    await disableClient(idp.deps, 'shop', true, idp.now());
    expectErrorPage(await ask(idp.browser(), 'shop', { redirect_uri: untamperedRedirectUri }, method));
  });

  test('where redirect_uri is any other than the registered one (protocol.md AUT-03, §29.1, hardening 1–4, BCP-01)', async () => {
    for (const [how, wanted] of tamperedRedirectUris) {
      const page = await ask(idp.browser(), 'shop', { redirect_uri: wanted }, method);
      expectErrorPage(page);
      expect(page.html, `which ${how}`).toMatch(/redirect_uri|redirect URI|U\+0000/);
    }
  });

  test.each<[string, string | readonly string[] | undefined]>([
    ['missing', undefined],
    ['sent twice', [untamperedRedirectUri, untamperedRedirectUri]],
    ['longer than any', `${untamperedRedirectUri}${'1'.repeat(2048)}`],
  ])('where redirect_uri is %s, and it says so (AUT-03)', async (_, wanted) => {
    const page = await ask(idp.browser(), 'shop', { redirect_uri: wanted }, method);
    expectErrorPage(page);
    expect(page.html).toContain('redirect_uri is');
  });

  test.each<[string, Form]>([
    ['prompt is none', { prompt: 'none' }],
    ['response_mode is form_post', { response_mode: 'form_post' }],
    ['everything else is wrong too', { response_type: 'x', scope: '"', claims: '{', request: 'x' }],
  ])(
    'where redirect_uri is not registered, also when %s (hardening 4, AUT-03, AUT-25)',
    async (_, changes) => {
      const wrong = { redirect_uri: 'https://evil.example/cb', ...changes };
      await idp.addUser();
      for (const browser of [idp.browser(), await signedInBrowser(idp)])
        expectErrorPage(await ask(browser, 'shop', wrong, method));
    },
  );

  test.each(['create', 'x', 'login create', 'none create', 'LOGIN'])(
    'where prompt is %s, a value that there is not (INT-02)',
    async (prompt) => {
      const page = await ask(idp.browser(), 'shop', { redirect_uri: untamperedRedirectUri, prompt }, method);
      expectErrorPage(page);
      expect(page.html).toContain('is not supported');
    },
  );

  test('and an unregistered redirect URI is not learned by asking for it (hardening 3)', async () => {
    await idp.addUser();
    const browser = await signedInBrowser(idp);
    for (let again = 0; again < 3; again += 1)
      expectErrorPage(await ask(browser, 'shop', { redirect_uri: 'https://new.example/cb' }, method));
  });
});

describe('a request that is not well-formed is answered with a page', () => {
  const good = authorizeUrl('shop').slice('/authorize?'.length);

  test.each([
    ['broken percent-encoding', `${good}&utm=%`],
    ['bytes that are not UTF-8', `${good}&utm=%ff`],
    ['a NUL', `${good}&utm=%00`],
  ])('%s', async (_, encoded) => {
    const idp = await startIdp();
    await idp.addClient({}, 'shop');
    expectErrorPage(await idp.browser().request(`/authorize?${encoded}`));
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const posted = idp.browser().request('/authorize', { method: 'POST', body: encoded, headers });
    expectErrorPage(await posted);
  });

  test.each([
    ['another content type', 'application/json', '{"client_id":"shop"}', 400],
    ['no content type', '', good, 400],
    ['a body that is not UTF-8', 'application/x-www-form-urlencoded', Buffer.from([0x61, 0x3d, 0xff]), 400],
    ['a body over 64 KiB', 'application/x-www-form-urlencoded', `${good}&x=${'x'.repeat(65_536)}`, 413],
  ])('%s', async (_, type, body, status) => {
    const idp = await startIdp();
    await idp.addClient({}, 'shop');
    const headers = { 'content-type': type };
    const page = await idp
      .browser()
      .request('/authorize', { method: 'POST', body: new Uint8Array(Buffer.from(body)), headers });
    expectErrorPage(page, status);
  });

  test('a charset beside the right content type is fine', async () => {
    const idp = await startIdp();
    await idp.addClient({}, 'shop');
    const headers = { 'content-type': 'application/x-www-form-urlencoded; charset=UTF-8' };
    const browser = idp.browser();
    const page = await browser.follow(browser.request('/authorize', { method: 'POST', body: good, headers }));
    expect(kindOf(page)).toBe('/login');
  });
});

describe('the page helps those who can act on it (design §1.8)', () => {
  const wrong = { redirect_uri: 'https://shop.example/CB' };
  const readable = (html: string) => unescapeHtml(html.replaceAll(/<\/?mark>/g, ''));

  test('at a loopback issuer it tells what came and what is registered', async () => {
    const idp = await startIdp();
    await idp.addClient({}, 'shop');
    const page = await ask(idp.browser(), 'shop', wrong);
    expect(page.html).toContain('<mark>C</mark>');
    expect(page.html).toContain('href="/errors#invalid_request"');
    expect(readable(page.html)).toContain(wrong.redirect_uri);
    expect(readable(page.html)).toContain(redirect_uri);
  });

  test.each([
    ['a stranger', false, {}],
    ['a person who is signed in', false, { roles: [] }],
    ['an administrator', true, { roles: ['admin'] }],
  ])('at another issuer %s sees what is registered: %s', async (who, sees, user) => {
    const idp = await startIdp({ settings: { ISSUER: 'https://id.example' } });
    await idp.addUser(user);
    await idp.addClient({}, 'shop');
    const browser = who === 'a stranger' ? idp.browser() : await signedInBrowser(idp);
    const page = await ask(browser, 'shop', wrong);
    expectErrorPage(page);
    expect(headingOf(page)).toBe('This sign\u2011in link does not work');
    expect(readable(page.html).includes(redirect_uri)).toBe(sees);
  });

  test('nor does a stranger who comes through a proxy to a loopback issuer', async () => {
    const idp = await startIdp();
    await idp.addClient({}, 'shop');
    const headers = { 'x-forwarded-for': '203.0.113.9' };
    const page = await idp.browser().request(authorizeUrl('shop', wrong), { headers });
    expect(readable(page.html)).not.toContain(redirect_uri);
  });

  test('what came is escaped (hardening 17)', async () => {
    const idp = await startIdp();
    await idp.addClient({}, 'shop');
    const page = await ask(idp.browser(), 'shop', {
      redirect_uri: 'https://x.example/"><script>alert(1)</script>',
    });
    expect(page.html).not.toContain('<script>alert');
  });
});

describe.each(methods)(
  'by %s, an error goes back to the client once its redirect URI is known good (AUT-10, AUT-22, AUT-23)',
  (method) => {
    const without = { code_challenge: undefined, code_challenge_method: undefined };

    test.each<[string, string, Form]>([
      ['response_type is missing (AUT-06)', 'invalid_request', { response_type: undefined }],
      ['response_type is unknown (AUT-06)', 'unsupported_response_type', { response_type: 'x' }],
      ['response_type is none, which is off', 'unsupported_response_type', { response_type: 'none' }],
      ['PKCE is required and absent (AUT-15)', 'invalid_request', without],
      ['PKCE is plain (AUT-14)', 'invalid_request', { code_challenge_method: 'plain' }],
      ['request is no request object', 'invalid_request_object', { request: 'e30.e30.' }],
      [
        'request_uri is sent, which is off (AUT-16)',
        'request_uri_not_supported',
        { request_uri: 'https://shop.example/r' },
      ],
      [
        'both are sent (AUT-16)',
        'invalid_request',
        { request: 'e30.e30.', request_uri: 'https://shop.example/r' },
      ],
      ['registration is sent (AUT-16)', 'registration_not_supported', { registration: '{}' }],
      ['scope is malformed', 'invalid_scope', { scope: '"' }],
      ['nonce is sent twice (HTTP-06)', 'invalid_request', { nonce: ['a', 'b'] }],
      ['prompt is none with another (INT-02)', 'invalid_request', { prompt: 'none login' }],
      ['max_age is negative (AUT-21)', 'invalid_request', { max_age: '-1' }],
      ['claims is no JSON (AUT-17)', 'invalid_request', { claims: '{' }],
      ['resource is unknown (RSI-01)', 'invalid_target', { resource: 'https://api.example' }],
      ['id_token_hint is nothing of ours (INT-07)', 'invalid_request', { id_token_hint: 'x.y.z' }],
      ['nobody is signed in and prompt is none (INT-01)', 'login_required', { prompt: 'none' }],
    ])('%s: %s', async (_, error, changes) => {
      const idp = await startIdp();
      await idp.addClient({}, 'shop');
      for (const response_mode of [undefined, 'query', 'form_post']) {
        const page = await ask(idp.browser(), 'shop', { response_mode, ...changes }, method);
        expect(answerOf(page)).toEqual({
          error,
          error_description: expect.stringMatching(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/),
          error_uri: `${idp.issuer}/errors#${error}`,
          state: 's1',
          iss: idp.issuer,
        });
        const target = page.headers.get('location')?.split('?')[0] ?? formOf(page.html).action;
        expect([page.status, target]).toEqual([response_mode === 'form_post' ? 200 : 303, redirect_uri]);
        expect(page.headers.get('cache-control')).toBe('no-store');
      }
    });

    test.each(['web_message', 'jwt.query', 'x'])(
      'response_mode %s, by the query: invalid_request (AUT-12)',
      async (response_mode) => {
        const idp = await startIdp();
        await idp.addClient({}, 'shop');
        const page = await ask(idp.browser(), 'shop', { response_mode }, method);
        expect(answerOf(page)).toMatchObject({ error: 'invalid_request', state: 's1', iss: idp.issuer });
      },
    );

    test('a client without the code grant: unauthorized_client (AUT-06)', async () => {
      const idp = await startIdp();
      await idp.addClient({ grant_types: ['client_credentials'] }, 'shop');
      const page = await ask(await signedWith(idp), 'shop', {}, method);
      expect(answerOf(page)).toMatchObject({ error: 'unauthorized_client', state: 's1' });
    });

    test.each<[string, Form]>([
      ['state is absent', { state: undefined }],
      ['state is empty', { state: '' }],
    ])('without a state if %s (AUT-09)', async (_, changes) => {
      const idp = await startIdp();
      await idp.addClient({}, 'shop');
      const page = await ask(idp.browser(), 'shop', { ...changes, prompt: 'none' }, method);
      expect(Object.keys(answerOf(page))).toEqual(['error', 'error_description', 'error_uri', 'iss']);
    });

    async function signedWith(idp: TestIdp) {
      await idp.addUser();
      return signedInBrowser(idp);
    }
  },
);
