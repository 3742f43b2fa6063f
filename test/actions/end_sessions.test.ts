import { decodeJwt } from 'jose';
import { describe, expect, test } from 'vitest';
import { disableClient } from '../../src/actions/clients.js';
import { endSession, endSessionsOf } from '../../src/actions/end_sessions.js';
import { listApplications } from '../../src/actions/own_applications.js';
import { loadReceipt, revokeSession, signOutEverywhere } from '../../src/actions/sessions.js';
import { disableUser, removeUser, setPassword } from '../../src/actions/users.js';
import { cleanup } from '../../src/jobs/cleanup.js';
import { startSender } from '../../src/jobs/outbox.js';
import type { OutboxRow } from '../../src/store/outbox.js';
import { listByUser } from '../../src/store/sessions.js';
import { statement } from '../../src/store/statement.js';
import { engines } from '../support/database.js';
import { authorizeUrl, getCode, getTokens, signIn } from '../support/flow.js';
import { formBody } from '../support/idp.js';
import { startReceiver } from '../support/receiver.js';
import { atOnce, type Shop, type ShopOptions, startShop } from '../support/shop.js';
import { bitOf } from '../support/status.js';

const never = new AbortController().signal;
const told = { backchannel_logout_uri: 'https://shop.example/logout' };
const everyRow = statement<object, OutboxRow>((sql) => sql('outbox').orderBy('client_id').orderBy('sid'));
const rowsOf = ({ idp }: Pick<Shop, 'idp'>) => idp.db.all(everyRow, {});
const sidOf = (id_token: string) => String(decodeJwt(id_token).sid);

/** Somebody who is signed in to an application that is told, and to one that is not. */
async function start(options: ShopOptions = {}) {
  const shop = await startShop({ metadata: told, ...options });
  const tokens = await shop.tokens();
  const blog = await shop.idp.addClient({}, 'blog');
  await getTokens(shop.idp, blog, {}, shop.browser);
  return { ...shop, tokens, sid: sidOf(tokens.id_token) };
}

type World = Awaited<ReturnType<typeof start>>;

/** Every way in which a session ends. */
const ways: readonly (readonly [string, (world: World) => Promise<unknown>])[] = [
  [
    'the person signs out here',
    async ({ browser }) => browser.submit(await browser.get('/logout'), { action: 'sign_out' }),
  ],
  [
    'the application has them signed out (RP-initiated)',
    ({ browser, tokens }) => browser.get(`/logout?${formBody({ id_token_hint: tokens.id_token })}`),
  ],
  [
    'somebody else signs in in the same browser',
    async ({ idp, browser }) => {
      await idp.addUser({ email: 'grace@example.com' });
      await signIn(browser, await browser.get('/login'), { email: 'grace@example.com' });
    },
  ],
  ['an operator revokes the session', ({ idp, sid }) => revokeSession(idp.deps, sid, idp.now())],
  ['they are signed out everywhere', ({ idp, user }) => signOutEverywhere(idp.deps, user.id, idp.now())],
  [
    'they get a new password',
    ({ idp, user }) => setPassword(idp.deps, user.id, 'another password', idp.now()),
  ],
  ['they are disabled', ({ idp, user }) => disableUser(idp.deps, user.id, idp.now())],
  ['they are removed', ({ idp, user }) => removeUser(idp.deps, user.id, idp.now())],
  [
    'it was not used for too long',
    ({ idp }) => {
      idp.advance(idp.config.SESSION_IDLE_SECONDS + 61);
      return cleanup.run(idp.deps, idp.now(), never);
    },
  ],
];

describe.each(engines)('when a session ends on %s, an application in it is told, once:', (engine) => {
  test.each(ways)('%s (BCL-04)', async (_, end) => {
    const world = await start({ engine });
    let rung = 0;
    world.idp.deps.bell.listen(() => {
      rung += 1;
    });
    await end(world);
    expect(await rowsOf(world)).toMatchObject([
      {
        client_id: 'shop',
        user_id: world.user.id,
        sid: world.sid,
        state: 'queued',
        kind: 'backchannel_logout',
      },
    ]);
    expect(rung).toBeGreaterThan(0);
  });
});

describe.each(engines)('a session whose time is over, on %s,', (engine) => {
  test('ends with all that hangs on it: its applications have no access any more, and are not told again', async () => {
    const world = await start({ engine });
    const { idp, user, tokens } = world;
    idp.advance(idp.config.SESSION_IDLE_SECONDS + 61);
    await cleanup.run(idp.deps, idp.now(), never);
    expect(await listApplications(idp.deps, user.id, idp.now())).toEqual([]);
    expect(await bitOf(idp, tokens.access_token)).toBe(0); // it had expired long before
    expect(await signOutEverywhere(idp.deps, user.id, idp.now())).toMatchObject({ sessions: 0, messages: 0 });
  });

  test('takes its access tokens along where they would live longer', async () => {
    const world = await start({ engine, settings: { SESSION_IDLE_SECONDS: '60' } });
    const { idp, tokens } = world;
    idp.advance(121);
    await cleanup.run(idp.deps, idp.now(), never);
    expect(await bitOf(idp, tokens.access_token)).toBe(1);
    expect((await idp.userinfo(tokens.access_token)).status).toBe(401);
  });

  test('leaves what was given for longer: offline access', async () => {
    const { idp, user, tokens } = await startShop({ engine });
    await tokens({ scope: 'openid offline_access' });
    idp.advance(idp.config.SESSION_IDLE_SECONDS + 61);
    await cleanup.run(idp.deps, idp.now(), never);
    expect(await listApplications(idp.deps, user.id, idp.now())).not.toEqual([]);
  });
});

describe.each(engines)('on %s', (engine) => {
  test('the end and its messages are one transaction: neither is there without the other', async () => {
    const world = await start({ engine });
    const { idp, sid, user } = world;
    const undone = idp.db.transaction(async (trx) => {
      await endSession(trx, sid, idp.now());
      await endSessionsOf(trx, user.id, idp.now());
      throw new Error('the power fails');
    });
    await expect(undone).rejects.toThrow('the power fails');
    expect(await rowsOf(world)).toEqual([]);
    expect(await listByUser(idp.db, user.id, idp.now())).toHaveLength(1);
  });

  test('of twenty who end a session at the same moment one has the application told', async () => {
    const world = await start({ engine });
    await atOnce(20, () => revokeSession(world.idp.deps, world.sid, world.idp.now()).catch(() => undefined));
    expect(await rowsOf(world)).toHaveLength(1);
  });

  test('no other session is told of, and nobody else’s', async () => {
    const world = await start({ engine });
    const { idp, shop, sid } = world;
    await getTokens(idp, shop); // the same person elsewhere
    await idp.addUser({ email: 'grace@example.com' });
    const grace = idp.browser();
    await signIn(grace, await grace.get(authorizeUrl('shop')), { email: 'grace@example.com' });
    await revokeSession(idp.deps, sid, idp.now());
    expect((await rowsOf(world)).map((row) => row.sid)).toEqual([sid]);
  });

  test('with offline_access an application is told of every session it came from, whichever was first', async () => {
    const world = await start({ engine });
    const { idp, shop, user } = world;
    const scope = 'openid offline_access';
    const first = idp.browser();
    const second = idp.browser();
    const sids = [];
    for (const browser of [first, second])
      sids.push(sidOf((await getTokens(idp, shop, { scope }, browser)).id_token));
    await revokeSession(idp.deps, sids[1] ?? '', idp.now());
    expect((await rowsOf(world)).map((row) => row.sid)).toEqual([sids[1]]);

    const { messages } = await signOutEverywhere(idp.deps, user.id, idp.now());
    const all = (await rowsOf(world)).map((row) => row.sid);
    expect(messages).toBe(3); // offline access goes on after a sign-out, so the second is told again
    expect(new Set(all)).toEqual(new Set([world.sid, ...sids]));
  });

  test('a receipt lists what each application answered, and nothing else', async () => {
    const [shop, blog, forum] = [
      await startReceiver(200),
      await startReceiver(503),
      await startReceiver(400),
    ];
    const world = await start({ engine, metadata: { backchannel_logout_uri: shop.url } });
    const { idp, user, browser } = world;
    for (const [client_id, { url }] of Object.entries({ news: blog, forum })) {
      await idp.addClient({ client_name: client_id, backchannel_logout_uri: url }, client_id);
      await getCode(browser, client_id);
    }
    const { receipt_id, sessions, messages } = await signOutEverywhere(idp.deps, user.id, idp.now());
    expect([sessions, messages]).toEqual([1, 3]);
    const answers = async () => {
      const receipt = await loadReceipt(idp.deps, receipt_id);
      expect(receipt).toMatchObject({ id: receipt_id, user_id: user.id, sessions: 1, created_at: idp.now() });
      return receipt.messages.map(({ client_name, state, answer }) => [client_name, state, answer]);
    };
    expect(await answers()).toEqual([
      ['Shop', 'queued', null],
      ['forum', 'queued', null],
      ['news', 'queued', null],
    ]);
    const sender = startSender(idp.deps);
    await sender.flush();
    await sender.stop();
    expect(await answers()).toEqual([
      ['Shop', 'answered', 'answered 200'],
      ['forum', 'failed', 'answered 400'],
      ['news', 'sent', 'answered 503'],
    ]);
  });
});

describe('an application is told', () => {
  test('also long after its last token has expired, as long as the session lives', async () => {
    const world = await start({ metadata: { ...told, grant_types: ['authorization_code'] } });
    const { idp, browser, sid } = world;
    for (let hours = 0; hours < 48; hours += 12) {
      idp.advance(12 * 3600);
      await browser.get('/'); // the session is in use
      await cleanup.run(idp.deps, idp.now(), never);
    }
    await revokeSession(idp.deps, sid, idp.now());
    expect(await rowsOf(world)).toMatchObject([{ client_id: 'shop', sid }]);
  });

  test('also when the session was made longer by another sign-in of the same person', async () => {
    const settings = { SESSION_MAX_SECONDS: '7200', SESSION_IDLE_SECONDS: '7200' };
    const world = await start({ settings, metadata: { ...told, grant_types: ['authorization_code'] } });
    const { idp, browser, sid } = world;
    idp.advance(7000);
    await signIn(browser, await browser.get(authorizeUrl('blog', { prompt: 'login' })));
    expect(await rowsOf(world)).toEqual([]); // it goes on
    idp.advance(7000);
    await cleanup.run(idp.deps, idp.now(), never);
    await revokeSession(idp.deps, sid, idp.now());
    expect(await rowsOf(world)).toMatchObject([{ client_id: 'shop', sid }]);
  });

  test('not while it is disabled', async () => {
    const world = await start();
    await disableClient(world.idp.deps, 'shop', true, world.idp.now());
    await revokeSession(world.idp.deps, world.sid, world.idp.now());
    expect(await rowsOf(world)).toEqual([]);
  });
});

test('an unknown receipt is not found', async () => {
  const { idp } = await start();
  await expect(loadReceipt(idp.deps, 'nothing')).rejects.toMatchObject({ code: 'not_found' });
});
