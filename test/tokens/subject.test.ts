/** What a client knows a person as. OpenID Connect Core §8; protocol.md IDT-14, IDT-15. */
import { decodeJwt } from 'jose';
import { describe, expect, test } from 'vitest';
import { type NewClient, updateClient } from '../../src/actions/clients.js';
import { rotateDueKeys } from '../../src/actions/keys.js';
import * as sessions from '../../src/store/sessions.js';
import { signLogoutToken } from '../../src/tokens/logout_token.js';
import { subjectOf } from '../../src/tokens/subject.js';
import { ask, codeOf } from '../support/authorize.js';
import type { Browser } from '../support/browser.js';
import { engines } from '../support/database.js';
import { getCode, getTokens, redeem, responseOf, signIn } from '../support/flow.js';
import { basic, formBody, post, type TestIdp } from '../support/idp.js';
import { replies } from '../support/outbound.js';
import { startShop } from '../support/shop.js';

const pairwise = { subject_type: 'pairwise' };
const at = (host: string) => ({ ...pairwise, redirect_uris: [`https://${host}/cb`] });
const ofBlog = { redirect_uri: 'https://blog.example/cb' };

async function tokensAt(idp: TestIdp, blog: NewClient, browser: Browser) {
  const { body } = await redeem(idp, blog, await getCode(browser, 'blog', ofBlog), ofBlog);
  return body as { id_token: string };
}

async function startTwo(options = {}) {
  const shop = await startShop({ metadata: pairwise, ...options });
  const blog = await shop.idp.addClient(at('blog.example'), 'blog');
  return { ...shop, blog };
}

describe.each(engines)('a client with pairwise subjects, on %s', (engine) => {
  test('knows one person by one sub in ID token, access token, userinfo, introspection, refreshed and logout token (IDT-15)', async () => {
    const { idp, user, shop, tokens, refresh } = await startTwo({ engine });
    const first = await tokens();
    const { sub = '' } = decodeJwt(first.id_token);
    expect(sub).toMatch(/^[\w-]{43}$/);
    const { body: next } = await refresh(first.refresh_token);
    const authorized = basic('shop', shop.client_secret);
    const introspect = async (token: string) =>
      (await post(`${idp.url}/introspect`, { token }, authorized)).body;
    const deps = { ...idp.deps, ring: await idp.deps.keys.get() };
    const request = { client: shop.client, user_id: user.id, sid: 's' };
    expect([
      ...[first.access_token, next.access_token, next.id_token].map((token) => decodeJwt(token).sub),
      ...[(await idp.userinfo(next.access_token)).body.sub, (await introspect(next.access_token)).sub],
      ...[(await introspect(next.refresh_token ?? first.refresh_token)).sub],
      ...[decodeJwt(await signLogoutToken(deps, request, idp.now())).sub],
    ]).toEqual(Array(7).fill(sub));
  });
});

describe('a pairwise sub', () => {
  test('differs from sector to sector, from person to person, and from the user’s id (IDT-14)', async () => {
    const { idp, user, tokens, blog } = await startTwo();
    await idp.addUser({ email: 'bob@example.com' });
    const browser = idp.browser();
    const login = await ask(browser, 'shop');
    codeOf(await signIn(browser, login, { email: 'bob@example.com' }));
    const subs = [
      await tokens(),
      await tokensAt(idp, blog, idp.browser()),
      await tokensAt(idp, blog, browser),
    ].map(({ id_token }) => decodeJwt(id_token).sub);
    expect(new Set([...subs, user.id]).size).toBe(4);
  });

  test('is the same for all clients of a host, and after a year, when every key was rotated', async () => {
    const { idp, shop, user, tokens } = await startTwo();
    const other = await idp.addClient(
      { ...at('shop.example:8443'), grant_types: ['authorization_code'] },
      'other',
    );
    const before = decodeJwt((await tokens()).id_token).sub;
    const ring = await idp.deps.keys.get();
    expect([subjectOf(ring, shop.client, user.id), subjectOf(ring, other.client, user.id)]).toEqual([
      before,
      before,
    ]);
    idp.advance(366 * 86_400);
    await rotateDueKeys(idp.deps, idp.now());
    expect(subjectOf(await idp.deps.keys.get(), shop.client, user.id)).toBe(before);
  });

  test('follows the host of sector_identifier_uri where there is one, whatever the redirect URIs', async () => {
    const fetched = replies();
    const { idp, user } = await startShop({ substitutes: { outbound: fetched.outbound } });
    const sector = { ...pairwise, sector_identifier_uri: 'https://group.example/uris' };
    const redirect_uris = ['https://one.example/cb', 'https://two.example/cb'];
    fetched.set('https://group.example/uris', redirect_uris);
    const ring = await idp.deps.keys.get();
    const subs = [];
    for (const redirect_uri of redirect_uris) {
      const { client } = await idp.addClient({ ...sector, redirect_uris: [redirect_uri] });
      subs.push(subjectOf(ring, client, user.id));
    }
    expect([subs[0] === subs[1], subs[0] === user.id]).toEqual([true, false]);
  });
});

describe('the sid of a pairwise client', () => {
  test('is the same in all that one sector gets, and another in the next: sessions join no two applications (IDT-14)', async () => {
    const { idp, browser, shop, tokens, refresh, blog } = await startTwo();
    const first = await tokens();
    const { sid = '' } = decodeJwt(first.id_token);
    const { body: next } = await refresh(first.refresh_token);
    const session_id = (await sessions.list(idp.db, idp.now()))[0]?.id ?? '';
    const deps = { ...idp.deps, ring: await idp.deps.keys.get() };
    const request = { client: shop.client, user_id: 'u', sid: session_id };
    const refresh_token = next.refresh_token ?? first.refresh_token;
    const introspected = await post(
      `${idp.url}/introspect`,
      { token: refresh_token },
      basic('shop', shop.client_secret),
    );
    expect([
      ...[first.access_token, next.access_token, next.id_token].map((token) => decodeJwt(token).sid),
      introspected.body.sid,
      decodeJwt(await signLogoutToken(deps, request, idp.now())).sid,
    ]).toEqual(Array(5).fill(sid));
    const other = decodeJwt((await tokensAt(idp, blog, browser)).id_token).sid;
    expect(new Set([sid, other, session_id]).size).toBe(3);
  });

  test('in a hint signs out of the session that it stands for, and of no other', async () => {
    const { idp, browser, tokens } = await startTwo();
    const { id_token } = await tokens();
    const stranger = idp.browser();
    await getTokens(idp, await idp.addClient({}, 'news'), {}, stranger);
    const logout = `/logout?${formBody({ id_token_hint: id_token })}`;
    expect((await stranger.get(logout)).url).toContain('/logout/confirm');
    expect((await browser.get(logout)).url).toContain('/signed-out');
    expect(await sessions.list(idp.db, idp.now())).toHaveLength(1);
  });

  test('is what its front-channel frame names (FCL-02)', async () => {
    const told = {
      frontchannel_logout_uri: 'https://shop.example/told',
      frontchannel_logout_session_required: true,
    };
    const { browser, tokens } = await startTwo({ metadata: { ...pairwise, ...told } });
    const { id_token } = await tokens();
    const page = await browser.get(`/logout?${formBody({ id_token_hint: id_token })}`);
    expect(page.html).toContain(`sid=${decodeJwt(id_token).sid}`);
  });
});

describe('a hint and a claims.sub of a pairwise client', () => {
  const silent = { prompt: 'none' };

  test('are its own sub: the person is found again', async () => {
    const { browser, tokens } = await startTwo();
    const { id_token } = await tokens();
    const claims = JSON.stringify({ id_token: { sub: { value: decodeJwt(id_token).sub } } });
    for (const change of [{ id_token_hint: id_token }, { claims }])
      expect(codeOf(await ask(browser, 'shop', { ...silent, ...change }))).not.toBe('');
  });

  test('that name the user’s id, or the sub of another sector, find nobody', async () => {
    const { idp, browser, user, tokens, blog } = await startTwo();
    await tokens();
    const other = await tokensAt(idp, blog, browser);
    for (const value of [user.id, decodeJwt(other.id_token).sub]) {
      const claims = JSON.stringify({ id_token: { sub: { value } } });
      expect(responseOf(await ask(browser, 'shop', { ...silent, claims })).error).toBe('login_required');
    }
    const answer = responseOf(await ask(browser, 'shop', { ...silent, id_token_hint: other.id_token }));
    expect(answer).toMatchObject({
      error: 'invalid_request',
      error_description: expect.stringContaining('another client'),
    });
  });
});

test('an access token with a sub that was pairwise names its user at sign-out and everywhere else, and a public one goes on', async () => {
  const { idp, user, tokens } = await startShop();
  const before = await tokens();
  expect(decodeJwt(before.id_token).sub).toBe(user.id);
  await updateClient(idp.deps, 'shop', pairwise, idp.now());
  idp.advance(1);
  expect((await idp.userinfo(before.access_token)).body.sub).toBe(user.id);
  const after = await tokens();
  expect(decodeJwt(after.id_token).sub).not.toBe(user.id);
  expect((await idp.userinfo(after.access_token)).body.sub).toBe(decodeJwt(after.id_token).sub);
});
