import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { disableClient } from '../../src/actions/clients.js';
import { signOutEverywhere } from '../../src/actions/sessions.js';
import { createApp } from '../../src/app.js';
import { openDeps } from '../../src/deps.js';
import { statement } from '../../src/store/statement.js';
import { session_revoked } from '../../src/tokens/security_event.js';
import { engines } from '../support/database.js';
import { listen } from '../support/event_stream.js';
import { getTokens } from '../support/flow.js';
import { basic } from '../support/idp.js';
import { type Shop, type ShopOptions, startShop } from '../support/shop.js';
import { statusOf } from '../support/status.js';

const dropRevocations = statement((sql) => sql.raw('drop table status_revocations'));

const end = (shop: Shop) => signOutEverywhere(shop.idp.deps, shop.user.id, shop.idp.now());

describe.each(engines)('revocation events on %s', (engine) => {
  const start = (options: ShopOptions = {}) => startShop({ engine, ...options });

  test('tell at once which bit was set, as a signed Security Event Token (RFC 8417; CAEP session-revoked)', async () => {
    const shop = await start();
    const { access_token } = await shop.tokens();
    const stream = await listen(shop);
    expect([stream.status, stream.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
    await end(shop);
    const { event, data } = await stream.next();
    expect(event).toBe('set');
    const { payload } = await jwtVerify(data, createRemoteJWKSet(new URL(`${shop.idp.url}/jwks`)), {
      ...{ typ: 'secevent+jwt', issuer: shop.idp.issuer, currentDate: new Date(shop.idp.now() * 1000) },
    });
    expect(payload).toMatchObject({ iat: shop.idp.now(), jti: expect.any(String) });
    expect(payload.events).toEqual({
      [session_revoked]: { event_timestamp: shop.idp.now(), status_list: statusOf(access_token) },
    });
    expect(JSON.stringify(payload)).not.toContain(shop.user.id); // whose it is, only holders of the token know
  });

  test('tell what another process revoked (decisions 27)', async () => {
    const shop = await start();
    const { access_token } = await shop.tokens();
    const stream = await listen(shop);
    const other = await openDeps(shop.idp.config, { clock: shop.idp.now });
    await signOutEverywhere(other, shop.user.id, shop.idp.now());
    await other.close();
    const { data } = await stream.next();
    expect(
      JSON.stringify(JSON.parse(Buffer.from(data.split('.')[1] ?? '', 'base64url').toString())),
    ).toContain(statusOf(access_token).uri);
  });

  test('tell it whatever its clock says, and to who comes back as well', async () => {
    const shop = await start();
    const slow = await openDeps(shop.idp.config, { clock: () => shop.idp.now() - 3600 });
    onTestFinished(() => slow.close());
    const { access_token } = await shop.tokens();
    const stream = await listen(shop);
    await signOutEverywhere(slow, shop.user.id, slow.clock());
    const { id = '', data } = await stream.next();
    expect(decodeJwt(data).events).toMatchObject({
      [session_revoked]: { status_list: statusOf(access_token) },
    });
    stream.stop();
    const later = (await shop.tokens()).access_token;
    await signOutEverywhere(slow, shop.user.id, slow.clock());
    const again = await listen(shop, { 'last-event-id': id });
    const told = [await again.next(), await again.next()].map((event) => decodeJwt(event.data).events);
    expect(told).toContainEqual({
      [session_revoked]: { event_timestamp: slow.clock(), status_list: statusOf(later) },
    });
  });

  test('go on after the last one that was seen (Last-Event-ID)', async () => {
    const shop = await start();
    await shop.tokens();
    const first = await listen(shop);
    await end(shop);
    const { id = '' } = await first.next();
    first.stop();
    shop.idp.advance(5);
    const { access_token } = await shop.tokens();
    await end(shop);
    const second = await listen(shop, { 'last-event-id': id });
    const told = [await second.next(), await second.next()].map(({ data }) =>
      Buffer.from(data.split('.')[1] ?? '', 'base64url').toString(),
    );
    expect(told.some((text) => text.includes(`"idx":${statusOf(access_token).idx}`))).toBe(true);
  });
});

test.each([
  ['nothing of ours', 'rubbish'],
  ['a time, as ids once were', '1763860000.list.5'],
  ['of the future', '99999999999.list.5'],
])(
  'a Last-Event-ID that is %s is answered: read the lists, and once more when every process knows',
  async (_, id) => {
    const shop = await startShop();
    const stream = await listen(shop, { 'last-event-id': id });
    expect([await stream.next(), await stream.next()]).toEqual(Array(2).fill({ event: 'reset', data: '{}' }));
  },
);

test('begin with what was revoked a moment ago: a list that another process answers may not know it yet', async () => {
  const shop = await startShop();
  const { access_token } = await shop.tokens();
  await end(shop);
  const { event, data } = await (await listen(shop)).next();
  expect(event).toBe('set');
  expect(decodeJwt(data).events).toMatchObject({
    [session_revoked]: { status_list: statusOf(access_token) },
  });
});

test('tell what is revoked while a reader connects, after what it missed was read', async () => {
  const shop = await startShop();
  const { access_token } = await shop.tokens();
  const { statusLists } = shop.idp.deps;
  vi.spyOn(statusLists, 'since').mockImplementationOnce(async () => {
    await end(shop);
    await statusLists.current();
    return [];
  });
  const { event, data } = await (await listen(shop)).next();
  expect([event, decodeJwt(data).events]).toMatchObject([
    'set',
    { [session_revoked]: { status_list: statusOf(access_token) } },
  ]);
});

describe('the stream ends', () => {
  test('when the server closes, also where its reader is slow: nothing is written to it afterwards', async () => {
    const shop = await startShop();
    await shop.tokens();
    const app = createApp(shop.idp.deps).callback();
    const answered = await new Promise<ServerResponse>((resolve) => {
      const server = createServer((request, response) => {
        void app(request, response);
        resolve(response);
      }).listen(0, '127.0.0.1', () => {
        const { port } = server.address() as AddressInfo; // a TCP server that listens has one
        fetch(`http://127.0.0.1:${port}/revocations`, {
          headers: basic('shop', shop.shop.client_secret),
        }).catch(
          () => undefined, // it is cut off in the end
        );
      });
      onTestFinished(() => {
        server.closeAllConnections();
        server.close();
      });
    });
    await expect.poll(() => answered.headersSent).toBe(true);
    const faults: unknown[] = [];
    answered.on('error', (error) => faults.push(error));
    Object.assign(answered.socket ?? {}, { _write: () => undefined, _writev: () => undefined }); // nobody takes any more
    answered.end(); // as the server does it
    const told = vi.fn();
    const hush = shop.idp.deps.statusLists.listen(told);
    await end(shop);
    await expect.poll(() => told.mock.calls.length).toBe(1);
    hush();
    await new Promise((resolve) => setImmediate(resolve));
    expect([faults, answered.writableFinished]).toEqual([[], false]);
  });

  test('with the right to read it: a client that is disabled is told nothing more', async () => {
    const shop = await startShop();
    const other = await shop.idp.addClient({}, 'other');
    await getTokens(shop.idp, other, {}, shop.browser);
    const stream = await listen(shop);
    await disableClient(shop.idp.deps, 'shop', true, shop.idp.now());
    await end(shop);
    await expect(stream.next()).rejects.toThrow();
  });

  test('where the revocations cannot be read: no heartbeat says that all is well', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    const shop = await startShop();
    const stream = await listen(shop);
    expect(await stream.raw()).toBe(':\n\n');
    vi.advanceTimersByTime(15_000);
    expect(await stream.raw()).toBe(':\n\n');
    await shop.idp.db.run(dropRevocations, {});
    vi.advanceTimersByTime(15_000);
    await expect(stream.raw()).rejects.toThrow();
  });
});

test('many revocations at once are one event: read the lists', async () => {
  const shop = await startShop();
  const stream = await listen(shop);
  for (let i = 0; i < 60; i += 1) {
    const { id } = await shop.idp.addUser({ email: `person${i}@example.com` });
    await shop.idp.db.transaction(async (trx) => {
      const { insert } = await import('../../src/store/status_revocations.js');
      const index = { status_list: 'list', status_index: i };
      await insert(trx, index, shop.idp.now(), shop.idp.now() + 600);
    });
    expect(id).toBeTruthy();
  }
  const events = [await stream.next()];
  while (events.at(-1)?.event !== 'reset' && events.length < 60) events.push(await stream.next());
  expect(events.length).toBeLessThanOrEqual(60);
});

test.each<[string, (shop: Shop) => Record<string, string> | Promise<Record<string, string>>, string]>([
  ['no credentials', () => ({ authorization: '' }), 'Basic'],
  ['a wrong secret', () => basic('shop', 'wrong'), 'Basic'],
  [
    "a person's token",
    async (shop) => ({ authorization: `Bearer ${(await shop.tokens()).access_token}` }),
    'Bearer',
  ],
  ['rubbish', () => ({ authorization: 'Bearer rubbish' }), 'Bearer'],
])('are refused with %s, and the challenge is of the scheme that was tried', async (_, headers, scheme) => {
  const shop = await startShop();
  const { status, headers: answered } = await listen(shop, await headers(shop));
  expect([status, answered.get('www-authenticate')?.split(' ')[0]]).toEqual([401, scheme]);
});

test('are read with an access token that the client got for itself, too', async () => {
  const shop = await startShop({
    metadata: { grant_types: ['client_credentials'], redirect_uris: [], scope: 'a' },
  });
  const own = basic('shop', shop.shop.client_secret);
  const { body } = await shop.idp.token({ grant_type: 'client_credentials' }, own);
  const stream = await listen(shop, { authorization: `Bearer ${body.access_token}` });
  expect(stream.status).toBe(200);
});

test('are not begun by HEAD, which only says what GET would be', async () => {
  const shop = await startShop();
  const answer = await shop.idp.fetch('/revocations', {
    method: 'HEAD',
    headers: basic('shop', shop.shop.client_secret),
  });
  expect([answer.status, answer.headers.get('content-type'), await answer.text()]).toEqual([
    200,
    'text/event-stream',
    '',
  ]);
});

test('are on ten connections of one client at most; one that closes makes room', async () => {
  const shop = await startShop();
  const streams = [];
  for (let i = 0; i < 10; i += 1) streams.push(await listen(shop));
  expect(streams.map(({ status }) => status)).toEqual(Array(10).fill(200));
  const refused = await listen(shop);
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '5']);
  streams[0]?.stop();
  await expect.poll(async () => (await listen(shop)).status).toBe(200);
});
