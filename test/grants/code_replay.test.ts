import { describe, expect, test } from 'vitest';
import { cleanup } from '../../src/jobs/cleanup.js';
import { engines } from '../support/database.js';
import { redeem } from '../support/flow.js';
import { atOnce, eventsOf, publicClient, type Shop, startShop } from '../support/shop.js';

const day = 86_400;

describe.each(engines)('a code that is used twice, on %s', (engine) => {
  test('of twenty redemptions at once one wins, and the others revoke what it got (RFC 6749 §4.1.2, TOK-06)', async () => {
    const shop = await startShop({ engine });
    const code = await shop.code();
    const answers = await atOnce(20, () => shop.redeem(code));

    const [won, ...more] = answers.filter((answer) => answer.status === 200);
    const lost = answers.filter((answer) => answer.body.error === 'invalid_grant');
    expect([more.length, lost.length]).toEqual([0, 19]);
    await expectRevoked(shop, won?.body);
    expect(await eventsOf(shop.idp, 'code_replayed')).toHaveLength(19);
  });

  test('of twenty public clients at once, too', async () => {
    const shop = await startShop({ engine, metadata: publicClient });
    const code = await shop.code();
    const answers = await atOnce(20, () => shop.redeem(code));
    const won = answers.filter((answer) => answer.status === 200);
    expect(won).toHaveLength(1);
    await expectRevoked(shop, won[0]?.body);
  });

  test('nineteen thieves without the verifier do not hurt the one who has it', async () => {
    const shop = await startShop({ engine });
    const code = await shop.code();
    const thieves = atOnce(19, () => shop.redeem(code, { code_verifier: 'a'.repeat(43) }));
    const { status, body } = await shop.redeem(code);
    expect(status).toBe(200);
    expect((await thieves).map((answer) => answer.body.error)).toEqual(Array(19).fill('invalid_grant'));
    expect((await shop.idp.userinfo(body.access_token)).status).toBe(200);
    expect(await eventsOf(shop.idp, 'code_replayed')).toEqual([]);
  });

  test('at once or an hour later: everything it gave is revoked (COD-03)', async () => {
    for (const seconds of [0, 3600]) {
      const shop = await startShop({ engine, settings: { ACCESS_TOKEN_SECONDS: '7200' } });
      const code = await shop.code();
      const { body } = await shop.redeem(code);
      shop.idp.advance(seconds);
      expect((await shop.idp.userinfo(body.access_token)).status).toBe(200);
      expect((await shop.redeem(code)).body.error).toBe('invalid_grant');
      await expectRevoked(shop, body);
      const { id } = shop.user;
      expect(await eventsOf(shop.idp, 'code_replayed')).toMatchObject([{ user_id: id, client_id: 'shop' }]);
    }
  });

  test.each([10, 29])(
    '%i days later: the refresh tokens of then are revoked, and what they gave (COD-03)',
    async (days) => {
      const shop = await startShop({ engine });
      const code = await shop.code({ scope: 'openid offline_access' });
      const first = await shop.redeem(code);
      shop.idp.advance(days * day);
      await cleanup.run(shop.idp.deps, shop.idp.now(), new AbortController().signal); // the janitor has been there meanwhile
      const refreshed = await shop.refresh(first.body.refresh_token);
      expect((await shop.idp.userinfo(refreshed.body.access_token)).status).toBe(200);

      expect((await shop.redeem(code)).body.error).toBe('invalid_grant');
      await expectRevoked(shop, { ...refreshed.body, refresh_token: first.body.refresh_token });
    },
  );

  test('in the life of the last access token of the family: it is revoked', async () => {
    const settings = { REFRESH_TOKEN_SECONDS: '3600', ACCESS_TOKEN_SECONDS: '600' };
    const shop = await startShop({ engine, settings });
    const code = await shop.code();
    const first = await shop.redeem(code);
    shop.idp.advance(3599);
    const { body } = await shop.refresh(first.body.refresh_token);
    shop.idp.advance(300);
    await cleanup.run(shop.idp.deps, shop.idp.now(), new AbortController().signal);
    expect((await shop.idp.userinfo(body.access_token)).status).toBe(200);
    await shop.redeem(code);
    expect((await shop.idp.userinfo(body.access_token)).status).toBe(401);
  });

  test('without refresh tokens, the code is kept for as long as its access token lives', async () => {
    const metadata = { grant_types: ['authorization_code'] };
    const shop = await startShop({ engine, metadata, settings: { ACCESS_TOKEN_SECONDS: '7200' } });
    const code = await shop.code();
    const { body } = await shop.redeem(code);
    shop.idp.advance(7199);
    await cleanup.run(shop.idp.deps, shop.idp.now(), new AbortController().signal);
    expect((await shop.idp.userinfo(body.access_token)).status).toBe(200);
    await shop.redeem(code);
    expect((await shop.idp.userinfo(body.access_token)).status).toBe(401);
  });

  test('a third use is refused as well', async () => {
    const shop = await startShop({ engine });
    const code = await shop.code();
    for (const status of [200, 400, 400]) expect((await shop.redeem(code)).status).toBe(status);
  });

  test('a thief without the verifier cannot set off a revocation (hardening 7)', async () => {
    const shop = await startShop({ engine });
    const code = await shop.code();
    const { body } = await shop.redeem(code);
    for (const code_verifier of [undefined, 'a'.repeat(43)])
      expect((await shop.redeem(code, { code_verifier })).body.error).toBe('invalid_grant');
    const elsewhere = await shop.redeem(code, { redirect_uri: 'https://evil.example/cb' });
    expect(elsewhere.body.error).toBe('invalid_grant');
    const thief = await shop.idp.addClient({}, 'thief');
    expect((await redeem(shop.idp, thief, code)).body.error).toBe('invalid_grant');
    expect((await shop.idp.userinfo(body.access_token)).status).toBe(200);
    expect((await shop.refresh(body.refresh_token)).status).toBe(200);
  });

  test('the session goes on, and a new code gives tokens that work', async () => {
    const shop = await startShop({ engine });
    const code = await shop.code();
    await shop.redeem(code);
    await shop.redeem(code);
    const { access_token, refresh_token } = await shop.tokens();
    expect((await shop.idp.userinfo(access_token)).status).toBe(200);
    expect((await shop.refresh(refresh_token)).status).toBe(200);
  });

  test('what another client got in the same session goes on', async () => {
    const shop = await startShop({ engine });
    const blog = await shop.idp.addClient({}, 'blog');
    const code = await shop.code();
    const there = await redeem(shop.idp, blog, await shop.code({ client_id: 'blog' }));
    await shop.redeem(code);
    await shop.redeem(code);
    expect((await shop.idp.userinfo(there.body.access_token)).status).toBe(200);
  });
});

async function expectRevoked(
  shop: Shop,
  tokens: { readonly access_token: string; readonly refresh_token: string } | undefined,
): Promise<void> {
  const { status, headers } = await shop.idp.userinfo(tokens?.access_token ?? '');
  expect([status, headers.get('www-authenticate')]).toEqual([
    401,
    expect.stringContaining('error="invalid_token"'),
  ]);
  const refreshed = await shop.refresh(tokens?.refresh_token ?? '');
  expect([refreshed.status, refreshed.body.error]).toEqual([400, 'invalid_grant']);
}
