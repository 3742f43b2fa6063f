/** The provider signs somebody out. OpenID Connect Back-Channel Logout §2.4–§2.8; Front-Channel Logout §2. */
import { createPublicKey } from 'node:crypto';
import { exportSPKI, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import { addLogoutKey, app_origin, logout_event, refusalOf, startSignInApp } from '../../support/sign_in.js';

async function signedIn() {
  const app = await startSignInApp();
  const key = await addLogoutKey(app);
  const browser = app.visitor();
  await browser.signIn();
  const person = await browser.person();
  const send = async (logout_token: string | undefined) => {
    const body = new URLSearchParams(logout_token === undefined ? {} : { logout_token });
    const request = new Request(`${app_origin}/backchannel-logout`, { method: 'POST', body });
    const response = (await app.signIn.handle(request)) as Response;
    expect(response.headers.get('cache-control')).toBe('no-store');
    const text = await response.text();
    return { status: response.status, body: text === '' ? null : JSON.parse(text) };
  };
  return { ...app, ...key, browser, send, sid: person?.sid ?? '', sub: person?.sub ?? '' };
}

describe('a logout token', () => {
  test('with a sid ends the session that hangs on it, and no other of the same person', async () => {
    const { browser, send, sid, sign, sub, visitor } = await signedIn();
    const other = visitor();
    await other.signIn();
    expect(await send(await sign({ sid, sub }))).toEqual({ status: 200, body: null });
    expect([await browser.person(), (await other.person())?.sub]).toEqual([null, sub]);
  });

  test('with a sub alone ends every session of the person, and of no other', async () => {
    const { browser, idp, send, sign, sub, visitor } = await signedIn();
    await idp.addUser({ email: 'bob@example.com' });
    const [second, bob] = [visitor(), visitor()];
    await second.signIn();
    await bob.signIn('', { email: 'bob@example.com' });
    expect((await send(await sign({ sub }))).status).toBe(200);
    expect([await browser.person(), await second.person()]).toEqual([null, null]);
    expect(await bob.person()).not.toBeNull();
  });

  test('for a session that is not here is answered alike', async () => {
    const { browser, send, sign } = await signedIn();
    expect((await send(await sign({ sid: 'another' }))).status).toBe(200);
    expect((await send(await sign({ sub: 'another' }))).status).toBe(200);
    expect(await browser.person()).not.toBeNull();
  });

  test.each(['JWT', 'jwt', 'application/logout+jwt', undefined])(
    'of a provider whose typ is %s is taken',
    async (typ) => {
      const { browser, send, sid, sign } = await signedIn();
      expect((await send(await sign({ sid }, { typ }))).status).toBe(200);
      expect(await browser.person()).toBeNull();
    },
  );

  test('for several audiences, the app among them, is taken', async () => {
    const { client, send, sid, sign } = await signedIn();
    expect((await send(await sign({ sid, aud: ['other', client.client_id] }))).status).toBe(200);
  });

  test('works once: its replay ends no session that began since', async () => {
    const { browser, idp, send, sign, sub } = await signedIn();
    const token = await sign({ sub });
    expect((await send(token)).status).toBe(200);
    await browser.signIn();
    for (const seconds of [0, 119, 29]) {
      idp.advance(seconds);
      expect((await send(token)).status).toBe(400);
    }
    expect(await browser.person()).not.toBeNull();
  });

  test('sent ten times at once is taken once', async () => {
    const { send, sid, sign } = await signedIn();
    const token = await sign({ sid });
    const answers = await Promise.all(Array.from({ length: 10 }, () => send(token)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  const now = () => Math.floor(Date.now() / 1000);
  type Fault = readonly [what: string, claims: () => object, header: object];
  const faults: readonly Fault[] = [
    ['of another issuer', () => ({ iss: 'https://other.example' }), {}],
    ['without an issuer', () => ({ iss: undefined }), {}],
    ['for another application', () => ({ aud: 'other' }), {}],
    ['for no application', () => ({ aud: undefined }), {}],
    ['for an empty list of applications', () => ({ aud: [] }), {}],
    ['that expired', () => ({ iat: now() - 300, exp: now() - 60 }), {}],
    ['without exp', () => ({ exp: undefined }), {}],
    ['whose exp is text', () => ({ exp: 'soon' }), {}],
    ['without iat', () => ({ iat: undefined }), {}],
    ['from the future', () => ({ iat: now() + 300, exp: now() + 600 }), {}],
    ['that is not valid yet', () => ({ nbf: now() + 300 }), {}],
    ['without jti', () => ({ jti: undefined }), {}],
    ['whose jti is empty', () => ({ jti: '' }), {}],
    ['whose jti is no text', () => ({ jti: 1 }), {}],
    ['with a nonce', () => ({ nonce: 'n' }), {}],
    ['with a nonce that is null', () => ({ nonce: null }), {}],
    ['without events', () => ({ events: undefined }), {}],
    ['whose events are a list', () => ({ events: [logout_event] }), {}],
    ['whose events are another', () => ({ events: { 'http://schemas.openid.net/event/other': {} } }), {}],
    ['whose event is no object', () => ({ events: { [logout_event]: true } }), {}],
    ['whose event is null', () => ({ events: { [logout_event]: null } }), {}],
    ['with neither sub nor sid', () => ({ sid: undefined }), {}],
    ['whose sid is empty', () => ({ sid: '' }), {}],
    ['whose sid is no text', () => ({ sid: 1 }), {}],
    ['whose sub is no text', () => ({ sub: ['ada'] }), {}],
    ['that is an access token', () => ({}), { typ: 'at+jwt' }],
    [
      'with an unknown critical header',
      () => ({}),
      { crit: ['urn:example:unknown'], 'urn:example:unknown': 1 },
    ],
    ['of a key that is not there', () => ({}), { kid: 'unknown' }],
  ];

  test.each(faults)('%s is refused', async (_, claims, header) => {
    const { browser, errors, send, sid, sign } = await signedIn();
    const token = await sign({ sid, ...claims() }, header);
    const { status, body } = await send(token);
    expect([status, body.error, typeof body.error_description]).toEqual([400, 'invalid_request', 'string']);
    expect(errors.map(({ code }) => code)).toEqual(['logout_invalid']);
    expect(await browser.person()).not.toBeNull();
  });

  test.each(['', 'x', 'a.b.c', '....', 'e30.e30.', `${'x'.repeat(20_000)}`])(
    'that is none is refused: %.20s',
    async (token) => {
      const { send } = await signedIn();
      expect(await send(token)).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
    },
  );

  test('that is missing, sent twice, or asked for by GET is refused', async () => {
    const { send, signIn, sid, sign } = await signedIn();
    expect((await send(undefined)).status).toBe(400);
    const token = await sign({ sid });
    const body = new URLSearchParams([
      ['logout_token', token],
      ['logout_token', token],
    ]);
    const url = `${app_origin}/backchannel-logout`;
    const twice = await signIn.backchannelLogout(new Request(url, { method: 'POST', body }));
    const get = await signIn.backchannelLogout(new Request(`${url}?logout_token=${token}`));
    expect([twice.status, get.status, get.headers.get('allow')]).toEqual([400, 405, 'POST']);
  });

  test('that nobody signed, or with the wrong key or algorithm, is refused', async () => {
    const { browser, client, idp, keys, send, sid, sign } = await signedIn();
    const claims = { sid, jti: 'j', events: { [logout_event]: {} } };
    const unsigned = new UnsecuredJWT(claims)
      .setIssuer(idp.issuer)
      .setAudience(client.client_id)
      .setIssuedAt()
      .setExpirationTime('2m')
      .encode();
    const stranger = await generateKeyPair('RS256');
    const publicKey = createPublicKey({ key: keys.at(-1) as never, format: 'jwk' });
    const pem = new TextEncoder().encode(await exportSPKI(publicKey));
    const hmac = await sign({ sid }, { alg: 'HS256' }, pem);
    const other = await new SignJWT({ ...claims, iss: idp.issuer, aud: client.client_id })
      .setProtectedHeader({ alg: 'RS512', kid: 'logout' })
      .sign((await generateKeyPair('RS512')).privateKey);
    const good = await sign({ sid });
    const swapped = [(await sign({ sub: 'bob' })).split('.')[0], ...good.split('.').slice(1, 2), 'AAAA'].join(
      '.',
    );
    const of_stranger = await sign({ sid }, {}, stranger.privateKey);
    for (const token of [unsigned, hmac, other, swapped, of_stranger, `${good}A`, good.slice(0, -3)]) {
      expect([token.slice(0, 20), (await send(token)).status]).toEqual([token.slice(0, 20), 400]);
    }
    expect(await browser.person()).not.toBeNull();
    expect((await send(good)).status).toBe(200);
  });

  test('that is an ID token of the same person is refused', async () => {
    const { browser, send } = await signedIn();
    const id_token = (await browser.person())?.id_token;
    expect((await send(id_token)).status).toBe(400);
    expect(await browser.person()).not.toBeNull();
  });

  test('that cannot be checked, since the keys cannot be had, may be sent again', async () => {
    const app = await startSignInApp();
    const { sign } = await addLogoutKey(app);
    const [replies] = [app.traffic.instead];
    const token = await sign({ sub: 'ada' });
    const send = () =>
      app.signIn.backchannelLogout(
        new Request(`${app_origin}/backchannel-logout`, {
          method: 'POST',
          body: new URLSearchParams({ logout_token: token }),
        }),
      );
    app.traffic.instead = (url) =>
      url.pathname === '/jwks' ? new Response('<html>', { status: 502 }) : undefined;
    const refused = await send();
    expect([refused.status, await refused.json()]).toEqual([
      400,
      { error: 'temporarily_unavailable', error_description: expect.any(String) },
    ]);
    app.traffic.instead = replies;
    expect((await send()).status).toBe(200);
  });
});

describe('the front channel', () => {
  test('ends the session that it names, although no cookie comes along', async () => {
    const { browser, idp, sid, visitor } = await signedIn();
    const other = visitor();
    await other.signIn();
    const frame = await visitor().send(
      `/frontchannel-logout?${new URLSearchParams({ iss: idp.issuer, sid })}`,
    );
    expect([frame.status, frame.headers.get('cache-control'), frame.headers.getSetCookie()]).toEqual([
      200,
      'no-store',
      [],
    ]);
    expect(frame.headers.get('content-security-policy')).toContain(`frame-ancestors ${idp.issuer}`);
    expect(frame.headers.get('x-frame-options')).toBeNull();
    expect([await browser.person(), (await other.person())?.sid === sid]).toEqual([null, false]);
    expect(await other.person()).not.toBeNull();
  });

  test('removes the cookie of the session that it names, and of no other', async () => {
    const { browser, idp, sid, visitor } = await signedIn();
    const other = visitor();
    await other.signIn();
    const path = `/frontchannel-logout?${new URLSearchParams({ iss: idp.issuer, sid })}`;
    await browser.send(path);
    await other.send(path);
    expect([browser.cookies.has('__Host-app_session'), other.cookies.has('__Host-app_session')]).toEqual([
      false,
      true,
    ]);
  });

  test.each([
    ['without iss', { iss: undefined }],
    ['without sid', { sid: undefined }],
    ['with an empty sid', { sid: '' }],
    ['of another issuer', { iss: 'https://other.example' }],
    ['with neither', { iss: undefined, sid: undefined }],
  ])('%s ends nothing', async (_, changes) => {
    const { browser, idp, sid } = await signedIn();
    const named = new URLSearchParams();
    for (const [name, value] of Object.entries({ iss: idp.issuer, sid, ...changes }))
      if (value !== undefined) named.set(name, value);
    const response = await browser.send(`/frontchannel-logout?${named}`);
    expect(await refusalOf(response)).toEqual([400, 'logout_invalid']);
    expect(await browser.person()).not.toBeNull();
  });
});
