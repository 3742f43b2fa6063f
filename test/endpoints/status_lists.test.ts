import { inflateSync } from 'node:zlib';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { describe, expect, test } from 'vitest';
import { disableClient, removeClient } from '../../src/actions/clients.js';
import { signOutEverywhere } from '../../src/actions/sessions.js';
import { disableUser, removeUser } from '../../src/actions/users.js';
import { engines } from '../support/database.js';
import { basic } from '../support/idp.js';
import { publicClient, type Shop, startShop } from '../support/shop.js';
import { bitOf, statusOf } from '../support/status.js';

const pathOf = (shop: Shop, token: string) => statusOf(token).uri.slice(shop.idp.issuer.length);

describe('a status list', () => {
  test('is a signed token with a bit for each of its million indices (TSL-02, HTTP-08)', async () => {
    const shop = await startShop();
    const { access_token } = await shop.tokens();
    const answer = await shop.idp.fetch(pathOf(shop, access_token));
    const token = await answer.text();
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'application/statuslist+jwt',
      'cache-control': 'public, max-age=15',
      'access-control-allow-origin': '*',
      link: `<${shop.idp.issuer}/revocations>; rel="monitor"`,
    });
    expect(decodeProtectedHeader(token)).toMatchObject({ typ: 'statuslist+jwt', alg: 'RS256' });
    const now = shop.idp.now();
    const { status_list, ...claims } = decodeJwt<{ status_list: { bits: number; lst: string } }>(token);
    expect(claims).toEqual({ sub: statusOf(access_token).uri, iat: now, exp: now + 600, ttl: 15 });
    expect(status_list.bits).toBe(1);
    expect(inflateSync(Buffer.from(status_list.lst, 'base64url')).equals(Buffer.alloc(2 ** 17))).toBe(true);
  });

  test('is compressed for who takes gzip, with an entity tag of its own, and 304 for who has it (TSL-03)', async () => {
    const shop = await startShop();
    const path = pathOf(shop, (await shop.tokens()).access_token);
    const plain = await shop.idp.fetch(path, { headers: { 'accept-encoding': 'identity' } });
    const gzipped = await shop.idp.fetch(path, { headers: { 'accept-encoding': 'gzip' } });
    expect(gzipped.headers.get('content-encoding')).toBe('gzip');
    expect(await gzipped.text()).toBe(await plain.text());
    const [etag, gzip_etag] = [plain, gzipped].map(({ headers }) => headers.get('etag') ?? '');
    expect(gzip_etag).not.toBe(etag);
    for (const [encoding, tag] of [
      ['identity', etag],
      ['gzip', gzip_etag],
    ] as const) {
      const headers = { 'accept-encoding': encoding, 'if-none-match': tag ?? '' };
      expect((await shop.idp.fetch(path, { headers })).status).toBe(304);
    }
  });

  test('is signed anew after half its life, and stays the same until then', async () => {
    const shop = await startShop();
    const path = pathOf(shop, (await shop.tokens()).access_token);
    const text = async () => (await shop.idp.fetch(path)).text();
    const first = await text();
    shop.idp.advance(299);
    expect(await text()).toBe(first);
    shop.idp.advance(1);
    expect(decodeJwt(await text()).exp).toBe(shop.idp.now() + 600);
  });

  test.each([
    ['unknown: 404', '/status-lists/nothing', {}, 404],
    ['of another time: 501 (TSL-03)', '?time=1', {}, 501],
    ['asked for as something else: 406', '', { accept: 'application/statuslist+cwt' }, 406],
    ['asked for as it is: 200', '', { accept: 'application/statuslist+jwt' }, 200],
    ['asked for as anything: 200', '', { accept: '*/*' }, 200],
  ])('%s', async (_, suffix, headers, status) => {
    const shop = await startShop();
    const path = pathOf(shop, (await shop.tokens()).access_token);
    const answer = await shop.idp.fetch(suffix.startsWith('/') ? suffix : path + suffix, { headers });
    expect(answer.status).toBe(status);
  });

  test('is in the list of lists, which discovery names (TSL-03)', async () => {
    const shop = await startShop();
    const { uri } = statusOf((await shop.tokens()).access_token);
    const answer = await shop.idp.fetch('/.well-known/openid-configuration');
    const metadata = (await answer.json()) as Record<string, unknown>;
    expect(metadata.status_list_aggregation_endpoint).toBe(`${shop.idp.issuer}/status-lists`);
    expect(await (await shop.idp.fetch('/status-lists')).json()).toEqual({ status_lists: [uri] });
  });
});

describe.each(engines)('the bit of a token on %s', (engine) => {
  const now = (shop: Shop) => shop.idp.now();

  test.each<[string, (shop: Shop) => Promise<unknown>]>([
    ['the session is revoked', (shop) => signOutEverywhere(shop.idp.deps, shop.user.id, now(shop))],
    ['the user is disabled', (shop) => disableUser(shop.idp.deps, shop.user.id, now(shop))],
    ['the user is removed', (shop) => removeUser(shop.idp.deps, shop.user.id, now(shop))],
    ['the client is disabled', (shop) => disableClient(shop.idp.deps, 'shop', true, now(shop))],
    ['the client is removed', (shop) => removeClient(shop.idp.deps, 'shop', now(shop))],
  ])('is set when %s (TSL-04)', async (_, end) => {
    const shop = await startShop({ engine });
    const { access_token } = await shop.tokens();
    expect(await bitOf(shop.idp, access_token)).toBe(0);
    await end(shop);
    await expect.poll(() => bitOf(shop.idp, access_token)).toBe(1);
  });

  test('is set when its code is replayed', async () => {
    const shop = await startShop({ engine });
    const code = await shop.code();
    const { access_token } = (await shop.redeem(code)).body;
    expect((await shop.redeem(code)).body.error).toBe('invalid_grant');
    expect(await bitOf(shop.idp, access_token)).toBe(1);
  });

  test('is set when an old refresh token comes back', async () => {
    const shop = await startShop({ engine, metadata: publicClient });
    const first = await shop.tokens();
    const second = (await shop.refresh(first.refresh_token ?? '')).body;
    await shop.refresh(second.refresh_token);
    expect(await bitOf(shop.idp, second.access_token)).toBe(0);
    expect((await shop.refresh(first.refresh_token ?? '')).status).toBe(400);
    await expect.poll(() => bitOf(shop.idp, second.access_token)).toBe(1);
  });

  test('is shared by the tokens of one authorization, and is another for another session (decisions 7, TSL-01)', async () => {
    const shop = await startShop({ engine });
    const first = await shop.tokens();
    const again = await shop.tokens();
    const refreshed = (await shop.refresh(first.refresh_token ?? '')).body;
    expect(statusOf(again.access_token)).toEqual(statusOf(first.access_token));
    expect(statusOf(refreshed.access_token)).toEqual(statusOf(first.access_token));
    await signOutEverywhere(shop.idp.deps, shop.user.id, now(shop));
    const later = await shop.tokens();
    expect(statusOf(later.access_token)).not.toEqual(statusOf(first.access_token));
    expect([await bitOf(shop.idp, first.access_token), await bitOf(shop.idp, later.access_token)]).toEqual([
      1, 0,
    ]);
  });

  test("is the client's own for client_credentials, and set when the client is disabled", async () => {
    const shop = await startShop({ engine });
    const { client_secret } = await shop.idp.addClient(
      { grant_types: ['client_credentials'], redirect_uris: [], scope: 'a' },
      'batch',
    );
    const ask = async () => {
      const { body } = await shop.idp.token(
        { grant_type: 'client_credentials' },
        basic('batch', client_secret),
      );
      return body.access_token as string;
    };
    const [one, two] = [await ask(), await ask()];
    expect(statusOf(two)).toEqual(statusOf(one));
    await disableClient(shop.idp.deps, 'batch', true, now(shop));
    await disableClient(shop.idp.deps, 'batch', false, now(shop));
    expect([await bitOf(shop.idp, one), await bitOf(shop.idp, await ask())]).toEqual([1, 0]);
  });

  test('is still set after a restart, and forgotten when no token can name it any more', async () => {
    const shop = await startShop({ engine });
    const { access_token } = await shop.tokens();
    await signOutEverywhere(shop.idp.deps, shop.user.id, now(shop));
    await shop.idp.restart();
    expect(await bitOf(shop.idp, access_token)).toBe(1);
  });
});
