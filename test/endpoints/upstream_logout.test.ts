/**
 * Signing out with another provider: there ends here, by logout tokens; here goes on there. Back-Channel Logout §2.5–§2.8; RP-Initiated
 * Logout §2. Hardening rows 19, 20, 33.
 */
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { removeProvider } from '../../src/actions/identity_providers.js';
import { signOutEverywhere } from '../../src/actions/sessions.js';
import { digest } from '../../src/secrets.js';
import * as federatedIdentities from '../../src/store/federated_identities.js';
import * as sessions from '../../src/store/sessions.js';
import { findBySession } from '../../src/store/upstream_sessions.js';
import { engines } from '../support/database.js';
import { authorizeUrl, getTokens, signIn } from '../support/flow.js';
import { addProvider } from '../support/identity_provider.js';
import { post } from '../support/idp.js';
import { senderOf } from '../support/outbox.js';
import { startReceiver } from '../support/receiver.js';
import { atOnce } from '../support/shop.js';
import { startWorld } from '../support/upstream.js';

const event = 'http://schemas.openid.net/event/backchannel-logout';

async function start(options: Parameters<typeof startWorld>[0] = {}) {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  const world = await startWorld(options);
  const { here, there, ada, person, client } = world;
  await federatedIdentities.insert(here.db, {
    ...{ id: 'i1', provider_id: 'elsewhere', subject: person.id, user_id: ada.id, label: null },
    ...{ created_at: here.now(), last_used_at: here.now() },
  });
  const { browser, other } = world.browsers();
  await world.arrive(browser, other);
  const live = () => sessions.listByUser(here.db, ada.id, here.now());
  const [session_there] = await sessions.listByUser(there.db, person.id, there.now());
  /** A logout token as the provider signs them. */
  async function sign(
    changes: object = {},
    typ: 'logout+jwt' | 'JWT' | 'at+jwt' = 'logout+jwt',
  ): Promise<string> {
    const now = there.now();
    const claims = {
      ...{
        iss: there.issuer,
        aud: client.client.client_id,
        iat: now,
        exp: now + 120,
        jti: crypto.randomUUID(),
      },
      ...{ sub: person.id, events: { [event]: {} } },
      ...changes,
    };
    return (await there.deps.keys.get()).sign(typ, claims, now);
  }
  const tell = (logout_token: string | readonly string[] | undefined, id = 'elsewhere') =>
    post(`${here.url}/upstream/${id}/backchannel-logout`, { logout_token });
  return { ...world, browser, other, live, session_there, sign, tell };
}

describe('a sign-out there', () => {
  test('ends the session here and tells our applications, by the provider’s own logout token', async () => {
    const { here, there, person, live, browser } = await start();
    const receiver = await startReceiver();
    await here.addClient({ backchannel_logout_uri: receiver.url }, 'told');
    await browser.get(authorizeUrl('told'));
    expect(await live()).toHaveLength(1);
    await signOutEverywhere(there.deps, person.id, there.now());
    await senderOf(there.deps).flush();
    expect(await live()).toEqual([]);
    await senderOf(here.deps).flush();
    expect(receiver.claims).toMatchObject([{ aud: 'told', events: { [event]: {} } }]);
  });

  test('of one session ends what came from that one alone; of a person, all that did', async () => {
    const { here, live, sign, tell, session_there, arrive, browser } = await start();
    await arrive(); // in another browser, there too
    const local = here.browser();
    await signIn(local, await local.get('/login'));
    expect(await live()).toHaveLength(3);
    expect((await tell(await sign({ sub: undefined, sid: 'another' }))).status).toBe(200);
    expect(await live()).toHaveLength(3);
    const sid = await sidThere(browser, here);
    expect((await tell(await sign({ sub: undefined, sid }))).status).toBe(200);
    expect(await live()).toHaveLength(2);
    expect(session_there).toBeDefined();
    const { status, headers, body } = await tell(await sign());
    expect([status, headers.get('cache-control'), body]).toEqual([200, 'no-store', '']);
    expect(await live()).toMatchObject([{ amr: 'pwd' }]); // who signed in by a password stays
  });

  test('of somebody else ends nothing, and is no error', async () => {
    const { live, sign, tell } = await start();
    expect((await tell(await sign({ sub: 'somebody-else' }))).status).toBe(200);
    expect((await tell(await sign({ sub: 'somebody-else', sid: 'x' }))).status).toBe(200);
    expect(await live()).toHaveLength(1);
  });

  async function sidThere(
    { cookies }: { cookies: ReadonlyMap<string, string> },
    { deps, db }: Awaited<ReturnType<typeof start>>['here'],
  ): Promise<string> {
    const session = await sessions.findLive(db, digest(cookies.get('sallyport_session') ?? ''), deps.clock());
    return (await findBySession(db, session?.id ?? ''))?.sid ?? '';
  }
});

describe.each(engines)('on %s', (engine) => {
  test('a logout token counts once: of twenty at the same moment one is taken (hardening 20)', async () => {
    const { sign, tell, live } = await start({ here: { engine } });
    const token = await sign();
    const answers = await atOnce(20, () => tell(token));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    const [refused] = answers.filter(({ status }) => status !== 200);
    expect(refused).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
    expect(await live()).toEqual([]);
  });
});

describe('a logout token is refused, and ends nothing', () => {
  test.each<[string, object, ('logout+jwt' | 'JWT' | 'at+jwt')?]>([
    ['for another client', { aud: 'shop' }],
    ['of another issuer', { iss: 'https://evil.example' }],
    ['that has expired', { exp: 1, iat: 0 }],
    ['with a nonce: an ID token', { nonce: 'n' }, 'JWT'],
    ['without the event', { events: {} }],
    ['without anybody', { sub: undefined }],
    ['that is an access token', {}, 'at+jwt'],
  ])('%s', async (_, changes, typ) => {
    const { sign, tell, live } = await start();
    expect(await tell(await sign(changes, typ))).toMatchObject({
      status: 400,
      body: { error: 'invalid_request' },
    });
    expect(await live()).toHaveLength(1);
  });

  test('that is none, is missing, comes twice, or comes to a provider that sends none', async () => {
    const { here, sign, tell, live } = await start();
    await addProvider(here, { id: 'code-host', kind: 'oauth2' });
    const good = await sign();
    for (const [token, id] of [
      ['x.y.z', 'elsewhere'],
      [undefined, 'elsewhere'],
      [[good, good], 'elsewhere'],
      [good, 'code-host'],
      [good, 'nobody'],
    ] as const)
      expect(await tell(token, id)).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
    expect((await here.fetch('/upstream/elsewhere/backchannel-logout')).status).toBe(405);
    expect(await live()).toHaveLength(1);
  });

  test('that another provider signed (hardening 20)', async () => {
    const { here, tell, live, person } = await start();
    const second = await startWorld();
    const now = second.there.now();
    const claims = { iss: second.there.issuer, aud: second.client.client.client_id, sub: person.id };
    const times = { iat: now, exp: now + 60, jti: 'j', events: { [event]: {} } };
    const token = (await second.there.deps.keys.get()).sign('logout+jwt', { ...claims, ...times }, now);
    expect((await tell(await token)).status).toBe(400);
    expect(await live()).toHaveLength(1);
    expect(here.issuer).not.toBe(second.here.issuer);
  });
});

describe('a sign-out here', () => {
  async function signOut({ browser }: Pick<Awaited<ReturnType<typeof start>>, 'browser'>, query = '') {
    const page = await browser.get(`/logout${query}`);
    return browser.submit(page, { action: 'sign_out' });
  }

  test('offers the one there, which comes back to us', async () => {
    const world = await start();
    const { here, there, browser, other, person } = world;
    const page = await signOut(world);
    expect(page.html).toContain('Sign out of <bdi>Elsewhere</bdi> as well');
    const href = (/id="sign-out-there" href="([^"]*)"/.exec(page.html)?.[1] ?? '').replaceAll('&amp;', '&');
    const location = (await browser.get(href)).headers.get('location') ?? '';
    const query = new URL(location).searchParams;
    expect(location).toContain(`${there.issuer}/logout?`);
    expect(query.get('post_logout_redirect_uri')).toBe(`${here.issuer}/upstream/elsewhere/signed-out`);
    expect(query.has('id_token_hint')).toBe(true);
    const back = (await other.get(location)).headers.get('location') ?? '';
    expect(await sessions.listByUser(there.db, person.id, there.now())).toEqual([]);
    const end = await browser.get(back);
    expect([end.status, end.html.includes('You are signed out')]).toEqual([200, true]);
    expect(end.html).not.toContain('sign-out-there');
  });

  test('goes on there at once where the operator says so, and ends where the application wants it', async () => {
    const world = await start({ sign_out: 'always' });
    const { here, there, browser, other, person } = world;
    const uri = 'https://shop.example/bye';
    const shop = await here.addClient({ post_logout_redirect_uris: [uri] }, 'leaving');
    const { id_token } = await getTokens(here, shop, {}, browser);
    const query = new URLSearchParams({ id_token_hint: id_token, post_logout_redirect_uri: uri, state: 's' });
    const location = (await browser.get(`/logout?${query}`)).headers.get('location') ?? '';
    expect(location).toContain(`${there.issuer}/logout?`);
    const back = (await other.get(location)).headers.get('location') ?? '';
    expect(await sessions.listByUser(there.db, person.id, there.now())).toEqual([]);
    expect((await browser.get(back)).headers.get('location')).toBe(`${uri}?state=s`);
  });

  test.each([
    ['the operator does not want it', { sign_out: 'off' } as const],
    ['the provider is not in use any more', {}],
  ])('is ours alone where %s', async (what, options) => {
    const world = await start(options);
    if (what.includes('any more')) {
      await removeProvider(world.here.deps, 'elsewhere', world.here.now());
    }
    expect((await signOut(world)).html).not.toContain('sign-out-there');
  });

  test('counts though the provider is down', async () => {
    const world = await start({ sign_out: 'always' });
    await world.here.restart(); // nothing is known of the provider any more
    await world.there.deps.db.close();
    const page = await signOut(world);
    expect(await world.live()).toEqual([]);
    expect(page.status === 200 || page.status === 303).toBe(true);
  });
});
