/** Signing in at the real server, and the cookies it leaves. OpenID Connect Core §3.1; RFC 7636. */
import { createHash } from 'node:crypto';
import { exportJWK, generateKeyPair } from 'jose';
import { describe, expect, test } from 'vitest';
import {
  answerOf,
  app_origin,
  formAnswerOf,
  locationOf,
  refusalOf,
  startAlone,
  startSignInApp,
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

  test('works with a private key (private_key_jwt)', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256');
    const jwk = { ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256', use: 'sig' };
    const app = await startSignInApp({
      metadata: { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [jwk] } },
      app: { private_key: { key: privateKey, kid: 'k' } },
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

  test('by form_post, Back and a reload lead on as well', async () => {
    const { traffic, visitor } = await startSignInApp({ app: { response_mode: 'form_post' } });
    const browser = visitor();
    const answer = formAnswerOf(await browser.authorize(await browser.begin()));
    await browser.post('/callback', answer);
    const cookies = new Map(browser.cookies);
    browser.cookies.clear(); // Lax ones stay behind when another site posts
    const again = locationOf(await browser.post('/callback', answer));
    expect(again.href).toBe(`${app_origin}/callback`);
    const back = locationOf(await visitor(cookies).send(again.href));
    expect([back.href, traffic.count('/token')]).toEqual([`${app_origin}/`, 1]);
    expect(await refusalOf(await visitor().send(again.href))).toEqual([400, 'sign_in_unknown']);
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
    expect(await visitor(before).person()).toBeNull();
  });

  test.each(['', 'x', 'a'.repeat(43), '"quoted"', 'ä'])('that we never set are nobody: %j', async (value) => {
    const { signIn } = await startAlone();
    const request = { headers: { cookie: `__Host-app_session=${value}` } };
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
    const twin = visitor(cookies);
    const [one, other] = await Promise.all([browser.send(answer.href), twin.send(answer.href)]);
    expect([one.status, other.status].toSorted()).toEqual([303, 400]);
    expect(traffic.count('/token')).toBe(1);
    const winner = one.status === 303 ? browser : twin;
    expect((await idp.userinfo((await winner.person())?.access_token ?? '')).status).toBe(200);
  });
});
