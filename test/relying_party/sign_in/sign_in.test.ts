/** /login and /callback at the real server. OpenID Connect Core §3.1; RFC 7636; RFC 9207. */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createSignIn } from '../../../src/relying_party/sign_in/index.js';
import {
  answerOf,
  app_origin,
  formAnswerOf,
  locationOf,
  refusalOf,
  startSignInApp,
  type Visitor,
} from '../../support/sign_in.js';

describe('a sign-in', () => {
  test('ends where it was begun, with the claims and tokens of the person', async () => {
    const { ada, idp, visitor } = await startSignInApp();
    const browser = visitor();
    expect(await browser.person()).toBeNull();
    const done = await browser.signIn('?return_to=/orders?page=2%23last');
    expect(locationOf(done).href).toBe(`${app_origin}/orders?page=2#last`);
    const person = await browser.person();
    expect(person).toMatchObject({
      iss: idp.issuer,
      sub: ada.id,
      claims: { name: 'Ada Lovelace', email: 'ada@example.com' },
      scope: 'openid profile email',
      signed_in_at: idp.now(),
      expires_at: idp.now() + 8 * 3600,
    });
    expect(person?.sid).toMatch(/^[\w-]{22,}$/);
    expect((await idp.userinfo(person?.access_token ?? '')).status).toBe(200);
  });

  test('asks with state, nonce and PKCE (S256), each its own for each sign-in', async () => {
    const { visitor } = await startSignInApp();
    const browser = visitor();
    const [one, other] = [await browser.begin(), await browser.begin()].map(
      ({ searchParams }) => searchParams,
    );
    expect(one?.get('code_challenge_method')).toBe('S256');
    for (const name of ['state', 'nonce', 'code_challenge']) {
      expect(one?.get(name)?.length).toBeGreaterThanOrEqual(43);
      expect(one?.get(name)).not.toBe(other?.get(name));
    }
  });

  test('sends prompt and resource on', async () => {
    const { visitor } = await startSignInApp({ app: { resource: 'https://api.example' } });
    const url = await visitor().begin('?prompt=login%20consent');
    expect([url.searchParams.get('prompt'), url.searchParams.get('resource')]).toEqual([
      'login consent',
      'https://api.example',
    ]);
  });

  test('for a resource gets an access token for it', async () => {
    const app = await startSignInApp({
      metadata: { scope: 'openid jobs:run' },
      app: { resource: 'https://api.example', scope: 'openid jobs:run' },
    });
    await app.idp.addResource('https://api.example', 'jobs:run');
    const browser = app.visitor();
    await browser.signIn();
    const [, payload = ''] = (await browser.person())?.access_token?.split('.') ?? [];
    expect(JSON.parse(Buffer.from(payload, 'base64url').toString())).toMatchObject({
      aud: 'https://api.example',
      scope: 'jobs:run',
    });
  });

  test('works for a public client', async () => {
    const app = await startSignInApp({ metadata: { token_endpoint_auth_method: 'none' } });
    const browser = app.visitor();
    await browser.signIn();
    expect(await browser.person()).not.toBeNull();
  });

  test('works with the secret in the body', async () => {
    const app = await startSignInApp({
      metadata: { token_endpoint_auth_method: 'client_secret_post' },
      app: { token_endpoint_auth_method: 'client_secret_post' },
    });
    const browser = app.visitor();
    await browser.signIn();
    expect(await browser.person()).not.toBeNull();
  });

  test('works by form_post, whose form comes from the server’s site', async () => {
    const { visitor } = await startSignInApp({ app: { response_mode: 'form_post' } });
    const browser = visitor();
    const begun = await browser.send('/login');
    expect(begun.headers.getSetCookie()).toEqual([expect.stringContaining('; Secure; SameSite=None')]);
    const answer = formAnswerOf(await browser.authorize(locationOf(begun)));
    expect(locationOf(await browser.post('/callback', answer)).href).toBe(`${app_origin}/`);
    expect(await browser.person()).not.toBeNull();
  });

  test('by form_post without https goes on with a GET, which the cookies come with', async () => {
    const redirect_uri = 'http://localhost:3000/callback';
    const { visitor } = await startSignInApp({ app: { response_mode: 'form_post', redirect_uri } });
    const browser = visitor();
    const answer = formAnswerOf(await browser.authorize(await browser.begin()));
    const kept = new Map(browser.cookies);
    browser.cookies.clear(); // as with a form of another site
    const bounced = locationOf(await browser.post('/callback', answer));
    expect(bounced.origin + bounced.pathname).toBe(redirect_uri);
    for (const [name, value] of kept) browser.cookies.set(name, value);
    await browser.send(bounced.href);
    expect(await browser.person()).not.toBeNull();
  });
});

describe('the cookies', () => {
  test('of https are __Host-, Secure, HttpOnly and Lax', async () => {
    const { visitor } = await startSignInApp();
    const browser = visitor();
    const done = await browser.signIn();
    expect(done.headers.getSetCookie()).toEqual([
      expect.stringMatching(/^__Host-app_session=[\w-]{43}; Path=\/; HttpOnly; Secure; SameSite=Lax$/),
      expect.stringMatching(
        /^__Host-app_sign_in_[\w-]{16}=; Path=\/; Max-Age=0; HttpOnly; Secure; SameSite=Lax$/,
      ),
    ]);
  });

  test('of loopback http have the app’s own names', async () => {
    const { visitor } = await startSignInApp({
      app: { redirect_uri: 'http://localhost:3000/auth/callback', cookie: 'shop' },
    });
    const browser = visitor();
    const begun = await browser.send('/auth/login');
    await browser.send(answerOf(await browser.authorize(locationOf(begun))).href);
    expect([...browser.cookies.keys()]).toEqual(['shop_session']);
    expect(begun.headers.getSetCookie()).toEqual([
      expect.stringMatching(
        /^shop_sign_in_[\w-]{16}=[\w-]{43}; Path=\/; Max-Age=900; HttpOnly; SameSite=Lax$/,
      ),
    ]);
  });

  test('are new at each sign-in, and the session before ends', async () => {
    const { visitor } = await startSignInApp();
    const browser = visitor();
    await browser.signIn();
    const before = new Map(browser.cookies);
    await browser.signIn();
    expect(browser.cookies.get('__Host-app_session')).not.toBe(before.get('__Host-app_session'));
    expect(await browser.person()).not.toBeNull();
    expect(await withCookies(visitor(), before).person()).toBeNull();
  });

  test.each(['', 'x', 'a'.repeat(43), '"quoted"', 'ä'])('that we never set are nobody: %j', async (value) => {
    const { visitor } = await startSignInApp();
    const request = { headers: { cookie: `__Host-app_session=${value}` } };
    const browser = visitor();
    await browser.signIn();
    const { signIn } = await startSignInApp();
    expect(await signIn.session(request)).toBeNull();
  });

  test('sent twice are nobody', async () => {
    const { visitor, signIn } = await startSignInApp();
    const browser = visitor();
    await browser.signIn();
    const pair = `__Host-app_session=${browser.cookies.get('__Host-app_session')}`;
    expect(await signIn.session({ headers: { cookie: pair } })).not.toBeNull();
    expect(await signIn.session({ headers: { cookie: `${pair}; ${pair}` } })).toBeNull();
  });

  test('a thief of the store reads no cookie, no token and no claim', async () => {
    const { sessions, visitor } = await startSignInApp();
    const browser = visitor();
    await browser.signIn();
    const cookie = browser.cookies.get('__Host-app_session') ?? '';
    const digest = createHash('sha256').update(cookie).digest('base64url');
    const stored = await sessions.find(digest, 0);
    const person = await browser.person();
    expect(stored).toMatchObject({ digest, sub: person?.sub });
    const bytes = Buffer.from(stored?.sealed ?? '', 'base64url').toString('latin1');
    for (const secret of [cookie, person?.access_token ?? '', person?.id_token ?? '', 'Lovelace']) {
      expect(JSON.stringify(stored) + bytes).not.toContain(secret);
    }
  });
});

describe('in several tabs', () => {
  test('two sign-ins at once both end where they were begun', async () => {
    const { visitor } = await startSignInApp();
    const browser = visitor();
    const first = await browser.begin('?return_to=/first');
    const second = await browser.begin('?return_to=/second');
    const later = answerOf(await browser.authorize(second));
    const earlier = answerOf(await browser.authorize(first));
    expect(locationOf(await browser.send(later.href)).pathname).toBe('/second');
    expect(locationOf(await browser.send(earlier.href)).pathname).toBe('/first');
    expect([await browser.person(), browser.underWay()]).toEqual([expect.anything(), []]);
  });

  test('the oldest of more than twenty is given up', async () => {
    const { idp, visitor } = await startSignInApp();
    const browser = visitor();
    const begun: URL[] = [];
    for (let count = 0; count < 23; count += 1) {
      begun.push(await browser.begin(`?return_to=/${count}`));
      idp.advance(1);
    }
    expect(browser.underWay()).toHaveLength(20);
    await browser.authorize(begun[22] as URL);
    const [gone, kept] = [answerOf(await browser.authorize(begun[2] as URL)), begun[3] as URL];
    expect(await refusalOf(await browser.send(gone.href))).toEqual([400, 'sign_in_unknown']);
    expect(locationOf(await browser.send(answerOf(await browser.authorize(kept)).href)).pathname).toBe('/3');
  });

  test('Back after the sign-in leads on', async () => {
    const { traffic, visitor } = await startSignInApp();
    const browser = visitor();
    const answer = answerOf(await browser.authorize(await browser.begin('?return_to=/orders')));
    await browser.send(answer.href);
    expect(locationOf(await browser.send(answer.href)).href).toBe(`${app_origin}/`);
    expect(traffic.count('/token')).toBe(1);
    expect(await browser.person()).not.toBeNull();
  });

  test('an answer that is sent twice at once redeems its code once', async () => {
    const { idp, traffic, visitor } = await startSignInApp();
    const browser = visitor();
    const answer = answerOf(await browser.authorize(await browser.begin()));
    const cookies = new Map(browser.cookies);
    const twin = withCookies(visitor(), cookies);
    const [one, other] = await Promise.all([browser.send(answer.href), twin.send(answer.href)]);
    expect([one.status, other.status].toSorted()).toEqual([303, 400]);
    expect(traffic.count('/token')).toBe(1);
    const winner = one.status === 303 ? browser : twin;
    expect((await idp.userinfo((await winner.person())?.access_token ?? '')).status).toBe(200);
  });
});

describe('the callback refuses', () => {
  const change = (name: string, value: string) => (url: URL) => url.searchParams.set(name, value);
  const refusals: readonly (readonly [string, (url: URL) => void, readonly [number, string]])[] = [
    ['another state', change('state', 'x'), [400, 'sign_in_unknown']],
    ['no state', (url) => url.searchParams.delete('state'), [400, 'sign_in_unknown']],
    ['a state twice', (url) => url.searchParams.append('state', 'x'), [400, 'request_invalid']],
    [
      'a state with one bit changed',
      (url) => url.searchParams.set('state', `${url.searchParams.get('state')?.slice(0, -2)}AA`),
      [400, 'sign_in_unknown'],
    ],
    ['another issuer (RFC 9207)', change('iss', 'https://attacker.example'), [400, 'answer_invalid']],
    [
      'no issuer, from a server that names it',
      (url) => url.searchParams.delete('iss'),
      [400, 'answer_invalid'],
    ],
    ['another code', change('code', 'x'), [400, 'code_refused: invalid_grant']],
    ['no code', (url) => url.searchParams.delete('code'), [400, 'answer_invalid']],
    ['a code twice', (url) => url.searchParams.append('code', 'x'), [400, 'answer_invalid']],
    ['a token beside the code', change('id_token', 'x'), [400, 'answer_invalid']],
    ['an error', change('error', 'access_denied'), [400, 'provider_refused: access_denied']],
  ];

  test.each(refusals)('%s', async (_, change, refusal) => {
    const { visitor } = await startSignInApp();
    const browser = visitor();
    const answer = answerOf(await browser.authorize(await browser.begin()));
    change(answer);
    expect(await refusalOf(await browser.send(answer.href))).toEqual(refusal);
    expect(await browser.person()).toBeNull();
  });

  test('an answer to another browser', async () => {
    const { visitor } = await startSignInApp();
    const [attacker, victim] = [visitor(), visitor()];
    const answer = answerOf(await attacker.authorize(await attacker.begin()));
    await victim.begin();
    expect(await refusalOf(await victim.send(answer.href))).toEqual([400, 'sign_in_unknown']);
    expect(await victim.person()).toBeNull();
  });

  test('an answer that was used, once the person signed out', async () => {
    const { traffic, visitor } = await startSignInApp();
    const browser = visitor();
    const answer = answerOf(await browser.authorize(await browser.begin()));
    const cookies = new Map(browser.cookies);
    await browser.send(answer.href);
    const again = withCookies(visitor(), cookies);
    expect(await refusalOf(await again.send(answer.href))).toEqual([400, 'sign_in_used']);
    expect(traffic.count('/token')).toBe(1);
  });

  test.each([
    [899, 303],
    [900, 400],
  ])('%i seconds after the sign-in began: %i', async (seconds, status) => {
    const { idp, visitor } = await startSignInApp();
    const browser = visitor();
    const begun = await browser.begin();
    idp.advance(seconds);
    const response = await browser.send(answerOf(await browser.authorize(begun)).href);
    expect(response.status).toBe(status);
    if (status === 400) expect(await refusalOf(response)).toEqual([400, 'sign_in_expired']);
  });

  test('an ID token with another nonce', async () => {
    const { traffic, visitor } = await startSignInApp();
    const browser = visitor();
    const [one, other] = [await browser.begin(), await browser.begin()];
    one.searchParams.set('nonce', other.searchParams.get('nonce') ?? '');
    expect(await refusalOf(await browser.send(answerOf(await browser.authorize(one)).href))).toEqual([
      400,
      'answer_invalid',
    ]);
    expect(traffic.count('/token')).toBe(1);
  });

  test('a code that was asked for with another challenge', async () => {
    const { visitor } = await startSignInApp();
    const browser = visitor();
    const [one, other] = [await browser.begin(), await browser.begin()];
    one.searchParams.set('code_challenge', other.searchParams.get('code_challenge') ?? '');
    expect(await refusalOf(await browser.send(answerOf(await browser.authorize(one)).href))).toEqual([
      400,
      'code_refused: invalid_grant',
    ]);
  });

  test.each([
    ['PUT', { method: 'PUT' }, [405, 'method_not_allowed']],
    ['a body that is no form', { method: 'POST', body: '{}' }, [400, 'request_invalid']],
    [
      'a form that is too long',
      { method: 'POST', body: new URLSearchParams({ code: 'x'.repeat(70_000) }) },
      [400, 'request_invalid'],
    ],
  ])('%s', async (_, init, refusal) => {
    const { visitor } = await startSignInApp();
    expect(await refusalOf(await visitor().send('/callback', init))).toEqual(refusal);
  });
});

describe('the provider', () => {
  test('may be down when the app starts: 503, and the next person gets in', async () => {
    const { traffic, visitor } = await startSignInApp();
    traffic.instead = () => {
      throw new TypeError('fetch failed');
    };
    const refused = await visitor().send('/login?return_to=/orders');
    expect(refused.headers.get('retry-after')).toBe('5');
    expect(await refusalOf(refused)).toEqual([503, 'provider_unreachable']);
    traffic.instead = undefined;
    const browser = visitor();
    await browser.signIn();
    expect(await browser.person()).not.toBeNull();
  });

  test.each([
    ['is a page', () => new Response('<html>', { headers: { 'content-type': 'text/html' } })],
    ['is an error of a proxy', () => new Response('', { status: 502 })],
    ['is cut off', () => new Response('{"acc', { headers: { 'content-type': 'application/json' } })],
  ])('whose token endpoint %s is out of reach', async (_, reply) => {
    const { traffic, visitor } = await startSignInApp();
    const browser = visitor();
    const answer = answerOf(await browser.authorize(await browser.begin()));
    traffic.instead = (url) => (url.pathname === '/token' ? reply() : undefined);
    expect(await refusalOf(await browser.send(answer.href))).toEqual([503, 'provider_unreachable']);
  });

  test('that names another issuer in its document is not believed', async () => {
    const { idp, traffic, visitor } = await startSignInApp();
    traffic.instead = async (url, init) => {
      const document = (await (await fetch(url, init)).json()) as object;
      return Response.json({ ...document, issuer: `${idp.issuer}/other` });
    };
    expect((await visitor().send('/login')).status).toBe(503);
  });

  test('whose ID token has a bad signature signs nobody in', async () => {
    const { traffic, visitor } = await startSignInApp();
    const browser = visitor();
    const answer = answerOf(await browser.authorize(await browser.begin()));
    traffic.instead = async (url, init) => {
      if (url.pathname !== '/token') return undefined as never;
      const body = (await (await fetch(url, init)).json()) as { id_token: string };
      const flipped = body.id_token.endsWith('AAAA') ? 'BBBB' : 'AAAA';
      return Response.json({ ...body, id_token: body.id_token.slice(0, -4) + flipped });
    };
    expect(await refusalOf(await browser.send(answer.href))).toEqual([400, 'answer_invalid']);
    expect(await browser.person()).toBeNull();
  });
});

describe('a silent check', () => {
  test('signs in who is signed in at the server, and asks nothing', async () => {
    const { visitor } = await startSignInApp();
    const browser = visitor();
    await browser.signIn();
    browser.cookies.clear();
    const url = await browser.begin('?silent=1&return_to=/orders');
    expect(url.searchParams.get('prompt')).toBe('none');
    expect(locationOf(await browser.send(answerOf(await browser.authorize(url)).href)).pathname).toBe(
      '/orders',
    );
    expect(await browser.person()).not.toBeNull();
  });

  test('that finds nobody leads back, and is not due again for five minutes', async () => {
    const { signIn, visitor } = await startSignInApp();
    const browser = visitor();
    const due = () =>
      signIn.silentCheckDue({
        headers: { cookie: [...browser.cookies].map((pair) => pair.join('=')).join('; ') },
      });
    expect(due()).toBe(true);
    const done = await browser.signIn('?silent=1&return_to=/orders');
    expect(locationOf(done).href).toBe(`${app_origin}/orders`);
    expect(done.headers.getSetCookie().join()).toContain('__Host-app_checked=1; Path=/; Max-Age=300');
    expect([await browser.person(), due()]).toEqual([null, false]);
  });

  test('ends the session of who signed out at the server', async () => {
    const { errors, visitor } = await startSignInApp();
    const browser = visitor();
    await browser.signIn();
    const before = new Map(browser.cookies);
    browser.server.cookies.clear();
    await browser.signIn('?prompt=none');
    expect([browser.cookies.has('__Host-app_session'), errors]).toEqual([false, []]);
    expect(await withCookies(visitor(), before).person()).toBeNull();
  });

  test('that meets a question changes nothing', async () => {
    const { errors, idp, visitor } = await startSignInApp();
    const browser = visitor();
    await browser.signIn();
    const url = await browser.begin('?silent=1');
    const answer = new URL(`${app_origin}/callback`);
    answer.search = new URLSearchParams({
      error: 'consent_required',
      state: url.searchParams.get('state') ?? '',
      iss: idp.issuer,
    }).toString();
    expect(locationOf(await browser.send(answer.href)).pathname).toBe('/');
    expect([await browser.person(), errors.map(({ error }) => error)]).toEqual([
      expect.anything(),
      ['consent_required'],
    ]);
  });
});

describe('/login refuses', () => {
  test.each(['maybe', 'login%20', 'none%20login', '', 'login\u00a0consent'])('prompt=%s', async (prompt) => {
    const { visitor } = await startSignInApp();
    expect(await refusalOf(await visitor().send(`/login?prompt=${prompt}`))).toEqual([
      400,
      'request_invalid',
    ]);
  });

  test('a POST, and says what it takes', async () => {
    const { visitor } = await startSignInApp();
    const response = await visitor().post('/login', {});
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET']);
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

  test('may be the app’s own', async () => {
    const { visitor } = await startSignInApp({
      app: { showError: (error) => Response.json({ code: error.code }, { status: error.status }) },
    });
    const response = await visitor().send('/callback?state=x');
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
    ['session_seconds', 0],
    ['session_seconds', Number.NaN],
  ])('%s that is %j is refused at once, by name', async (name, value) => {
    const { options } = await startSignInApp();
    expect(() => createSignIn({ ...options, [name]: value })).toThrow(
      expect.objectContaining({ name: 'TypeError', message: expect.stringContaining(name) }),
    );
  });
});

/** Another browser with the cookies of this one, as a thief or an old page has them. */
function withCookies(visitor: Visitor, cookies: ReadonlyMap<string, string>): Visitor {
  for (const [name, value] of cookies) visitor.cookies.set(name, value);
  return visitor;
}
