/** The provider signs somebody out. OpenID Connect Back-Channel Logout §2.4–§2.8; Front-Channel Logout §2. */
import { describe, expect, test } from 'vitest';
import { memorySessions, type SessionStore } from '../../../src/relying_party/sign_in/index.js';
import {
  addLogoutKey,
  app_origin,
  refusalOf,
  type SignInAppOptions,
  startAlone,
  startSignInApp,
} from '../../support/sign_in.js';

async function signedIn(options: SignInAppOptions = {}) {
  const app = await startSignInApp(options);
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
      const { send, sign, signedIn } = await startAlone();
      const body = new URLSearchParams({ logout_token: await sign({ sid: 's1' }, { typ }) });
      expect((await send('/backchannel-logout', { method: 'POST', body })).status).toBe(200);
      expect(await signedIn()).toBe(false);
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

  test('that came while the store failed may be sent again', async () => {
    const memory = memorySessions();
    const down = { now: true };
    const sessions: SessionStore = {
      ...memory,
      removeBySid(iss, sid) {
        if (down.now) throw new Error('the store is down');
        return memory.removeBySid(iss, sid);
      },
    };
    const { browser, send, sid, sign } = await signedIn({ app: { sessions } });
    const token = await sign({ sid });
    await expect(send(token)).rejects.toThrow('the store is down');
    down.now = false;
    expect([(await send(token)).status, await browser.person()]).toEqual([200, null]);
  });

  test('sent ten times at once is taken once', async () => {
    const { send, sid, sign } = await signedIn();
    const token = await sign({ sid });
    const answers = await Promise.all(Array.from({ length: 10 }, () => send(token)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
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
      503,
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
