/** What the app asks for wrongly, and the page that says so. */
import { describe, expect, test } from 'vitest';
import { createSignIn } from '../../../src/relying_party/sign_in/index.js';
import { answerOf, refusalOf, startAlone, startSignInApp } from '../../support/sign_in.js';

describe('/login refuses', () => {
  test.each(['maybe', 'login%20', 'none%20login', '', 'login\u00a0consent'])('prompt=%s', async (prompt) => {
    const { send } = await startAlone();
    expect(await refusalOf(await send(`/login?prompt=${prompt}`))).toEqual([400, 'request_invalid']);
  });

  test('a POST, and says what it takes', async () => {
    const { send } = await startAlone();
    const response = await send('/login', { method: 'POST' });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET']);
  });
});

describe('the discovery document', () => {
  const document = '/.well-known/openid-configuration';

  test('is read again after an hour: an endpoint that has moved is found', async () => {
    const { idp, traffic, visitor } = await startSignInApp();
    await visitor().begin();
    const asked = traffic.count(document);
    idp.advance(3599);
    await visitor().begin();
    expect(traffic.count(document)).toBe(asked);
    idp.advance(1);
    traffic.instead = async (url, init) => {
      if (url.pathname !== document) return undefined as never;
      const found = (await (await fetch(url, init)).json()) as object;
      return Response.json({ ...found, authorization_endpoint: `${idp.issuer}/moved` });
    };
    const to = async () => (await visitor().begin()).pathname;
    expect(await to()).toBe('/authorize'); // nobody waits for it
    await expect.poll(to).toBe('/moved');
  });

  test('is kept where it cannot be had again, which is tried once a minute', async () => {
    const { errors, idp, traffic, visitor } = await startSignInApp();
    await visitor().begin();
    traffic.instead = (url) => {
      if (url.pathname === document) throw new TypeError('fetch failed');
      return undefined;
    };
    idp.advance(3600);
    for (let count = 0; count < 5; count += 1) await visitor().begin();
    await expect.poll(() => errors.map(({ code }) => code)).toEqual(['provider_unreachable']);
    idp.advance(60);
    await visitor().begin();
    await expect.poll(() => errors.length).toBe(2);
  });
});

describe('the page of an error', () => {
  test('shows nothing of the request as markup, and leads to another try', async () => {
    const { visitor } = await startSignInApp();
    const browser = visitor();
    const answer = answerOf(await browser.authorize(await browser.begin('?return_to=/a%22b')));
    answer.searchParams.set('error', '<script>alert(1)</script>');
    const response = await browser.send(answer.href);
    const text = await response.text();
    expect(text).not.toContain('<script');
    expect(text).toContain('href="/login?return_to=%2Fa%2522b"');
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
  });

  test('is shown though the app’s log fails', async () => {
    const { send } = await startAlone({
      onError: () => {
        throw new Error('the log is full');
      },
    });
    expect(await refusalOf(await send('/callback?state=x'))).toEqual([400, 'sign_in_unknown']);
  });

  test('may be the app’s own', async () => {
    const { send } = await startAlone({
      showError: (error) => Response.json({ code: error.code }, { status: error.status }),
    });
    const response = await send('/callback?state=x');
    expect([response.status, await response.json()]).toEqual([400, { code: 'sign_in_unknown' }]);
  });
});

describe('an option', () => {
  test.each([
    ['issuer', 'http://id.example'],
    ['issuer', 'id.example'],
    ['redirect_uri', 'http://app.example/callback'],
    ['redirect_uri', 'https://app.example/callback?x=1'],
    ['redirect_uri', 'https://app.example/callback#x'],
    ['redirect_uri', 'https://app.example'],
    ['redirect_uri', 'https://user@app.example/callback'],
    ['cookie', 'a b'],
    ['cookie', ''],
    ['scope', 'email'],
    ['client_id', ''],
    ['home', 'https://attacker.example/'],
    ['id_token_signed_response_alg', 'HS256'],
    ['id_token_signed_response_alg', 'none'],
    ['post_logout_redirect_uri', '/bye'],
    ['paths', { login: 'login' }],
    ['paths', { logout: '/login' }],
    ['paths', { login: '/login?x=1' }],
    ['paths', { login: '/a/../login' }],
    ['paths', { login: '//elsewhere.example/login' }],
    ['response_mode', 'fragment'],
    ['token_endpoint_auth_method', 'none'],
    ['sessions', undefined],
    ['sessions', {}],
    ['session_seconds', 0],
    ['session_seconds', Number.NaN],
    ['refresh_early_seconds', Number.NaN],
    ['refresh_early_seconds', -1],
    ['timeout_seconds', Number.NaN],
    ['timeout_seconds', 0],
  ])('%s that is %j is refused at once, by name', async (name, value) => {
    const { options } = await startAlone();
    expect(() => createSignIn({ ...options, [name]: value })).toThrow(
      expect.objectContaining({ name: 'TypeError', message: expect.stringContaining(name) }),
    );
  });

  test('that is undefined is as good as none', async () => {
    const { options } = await startAlone();
    const names = [
      'response_mode',
      'clock',
      'fetch',
      'onError',
      'paths',
      'token_endpoint_auth_method',
      'cookie',
    ];
    const { handle } = createSignIn({
      ...options,
      ...Object.fromEntries(names.map((name) => [name, undefined])),
    });
    const answer = await handle(new Request(new URL('/callback?state=x', options.redirect_uri)));
    expect(answer?.status).toBe(400);
  });
});
