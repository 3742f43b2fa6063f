import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { updateClient } from '../../src/actions/clients.js';
import { engines } from '../support/database.js';
import { lettersOf } from '../support/mails.js';
import { atOnce, eventsOf, familiesOf, publicClient, type Shop, startShop } from '../support/shop.js';

const rotating = { refresh_token_rotation: true };

describe.each(engines)('refresh tokens that are replaced at each use, on %s', (engine) => {
  test.each([
    ['a public client', publicClient],
    ['a confidential client that chose so', rotating],
  ])('%s gets another one each time (RFC 9700 §4.14.2, RFT-03)', async (_, metadata) => {
    const shop = await startShop({ engine, metadata });
    const seen = new Set([(await shop.tokens()).refresh_token]);
    for (const _each of [1, 2, 3]) {
      const { status, body } = await shop.refresh([...seen].at(-1) ?? '');
      expect(status).toBe(200);
      seen.add(body.refresh_token);
    }
    expect(seen.size).toBe(4);
  });

  test('of twenty uses at once one rotates, and all get the same successor (decisions 8, TOK-06)', async () => {
    const shop = await startShop({ engine, metadata: publicClient });
    const { refresh_token } = await shop.tokens();
    const answers = await atOnce(20, () => shop.refresh(refresh_token));

    expect(answers.map((answer) => answer.status)).toEqual(Array(20).fill(200));
    const successors = new Set(answers.map((answer) => answer.body.refresh_token));
    expect(successors.size).toBe(1);
    const [successor] = successors;
    expect(generationOf(successor)).toBe(2);
    expect((await shop.refresh(successor)).status).toBe(200);
    const userinfos = await Promise.all(answers.map(({ body }) => shop.idp.userinfo(body.access_token)));
    expect(new Set(userinfos.map(({ status }) => status))).toEqual(new Set([200]));
    expect(await eventsOf(shop.idp, 'refresh_token_reused')).toEqual([]);
  });

  test('of a thousand uses at once nobody is signed out, and all get the same successor', async () => {
    const shop = await startShop({ engine, metadata: publicClient });
    const { refresh_token } = await shop.tokens();
    const answers = await atOnce(1000, () => shop.refresh(refresh_token));

    expect(answers.filter((answer) => answer.status !== 200)).toEqual([]);
    const successors = new Set(answers.map((answer) => answer.body.refresh_token));
    expect(successors.size).toBe(1);
    expect((await shop.refresh([...successors][0])).status).toBe(200);
    // A thief's copy of the one before, when the window is over, ends the family by one request.
    shop.idp.advance(11);
    expect((await shop.refresh(refresh_token)).status).toBe(400);
    expect((await shop.refresh([...successors][0])).status).toBe(400);
    expect(await eventsOf(shop.idp, 'refresh_token_reused')).toHaveLength(1);
  });

  test('of twenty uses at once without grace one rotates, and the others end the family', async () => {
    const metadata = { ...publicClient, refresh_grace_seconds: 0 };
    const shop = await startShop({ engine, metadata });
    const { refresh_token } = await shop.tokens();
    const answers = await atOnce(20, () => shop.refresh(refresh_token));
    const won = answers.filter((answer) => answer.status === 200);
    expect(won).toHaveLength(1);
    await expectEnded(shop, won[0]?.body);
  });

  test.each([
    [10, 9, 200],
    [10, 10, 400],
    [60, 59, 200],
    [60, 60, 400],
    [1, 0, 200],
    [1, 1, 400],
    [0, 0, 400],
  ])(
    'a grace of %i s: the replaced token %i s later: %i (RFT-03)',
    async (refresh_grace_seconds, seconds, status) => {
      const shop = await startShop({ engine, metadata: { ...publicClient, refresh_grace_seconds } });
      const { refresh_token } = await shop.tokens();
      const first = await shop.refresh(refresh_token);
      shop.idp.advance(seconds);
      const again = await shop.refresh(refresh_token);
      expect([again.status, again.body.error]).toEqual([
        status,
        status === 200 ? undefined : 'invalid_grant',
      ]);
      if (status === 200) expect(again.body.refresh_token).toBe(first.body.refresh_token);
      else await expectEnded(shop, first.body);
    },
  );

  test('a token older than the one before ends the family at once, within the grace as well (RFT-03)', async () => {
    const shop = await startShop({ engine, metadata: publicClient });
    const first = await shop.tokens();
    const second = await shop.refresh(first.refresh_token);
    const third = await shop.refresh(second.body.refresh_token);
    expect((await shop.refresh(first.refresh_token)).body.error).toBe('invalid_grant');
    await expectEnded(shop, third.body);
    for (const token of [first.refresh_token, second.body.refresh_token])
      expect((await shop.refresh(token)).body.error).toBe('invalid_grant');
    const { id } = shop.user;
    expect(await eventsOf(shop.idp, 'refresh_token_reused')).toMatchObject([
      { user_id: id, client_id: 'shop' },
    ]);
    // Told once, by mail and on the account page.
    const letters = (await lettersOf(shop.idp)).filter(({ subject }) => subject.includes('was ended'));
    expect(letters).toMatchObject([{ to: 'ada@example.com', subject: 'The access of Shop was ended' }]);
    expect((await shop.browser.get('/account/events')).html).toContain('its access ended');
  });

  test('a lost answer harms nobody: the application asks again and goes on from there', async () => {
    const shop = await startShop({ engine, metadata: publicClient });
    let { refresh_token } = await shop.tokens();
    for (const _ of [1, 2, 3, 4]) {
      await shop.refresh(refresh_token); // and the answer is lost
      shop.idp.advance(5);
      refresh_token = (await shop.refresh(refresh_token)).body.refresh_token;
      shop.idp.advance(100);
    }
    expect((await shop.refresh(refresh_token)).status).toBe(200);
  });

  test('the end of one family leaves the session: a new code starts another', async () => {
    const shop = await startShop({ engine, metadata: publicClient });
    const { refresh_token } = await shop.tokens();
    await shop.refresh(refresh_token);
    shop.idp.advance(60);
    expect((await shop.refresh(refresh_token)).body.error).toBe('invalid_grant');
    const fresh = await shop.tokens();
    expect((await shop.refresh(fresh.refresh_token)).status).toBe(200);
  });
});

describe('somebody presents what we never gave (decisions 8)', () => {
  const part = { id: 0, generation: 1, secret: 2, mac: 3 };

  test.each([
    ['an id of its own', part.id, 'A'.repeat(22)],
    ['an older generation', part.generation, '1'],
    ['a generation to come', part.generation, '3'],
    ['a huge generation', part.generation, '9999999999999999'],
    ['another secret', part.secret, 'A'.repeat(43)],
    ['another MAC', part.mac, 'A'.repeat(43)],
    ['no MAC', part.mac, ''],
  ])('a token with %s: nothing is looked up or revoked', async (_, index, value) => {
    const shop = await startShop({ metadata: publicClient });
    const { refresh_token } = (await shop.refresh((await shop.tokens()).refresh_token)).body;
    const forged = refresh_token.split('.').with(index, value).join('.');
    const { status, body } = await shop.refresh(forged);
    expect([status, body.error]).toEqual([400, 'invalid_grant']);
    expect(await eventsOf(shop.idp, 'refresh_token_reused')).toEqual([]);
    expect((await shop.refresh(refresh_token)).status).toBe(200);
  });

  test('a token with any character changed, left out or added ends nothing', async () => {
    const shop = await startShop({ metadata: publicClient });
    const { refresh_token } = (await shop.refresh((await shop.tokens()).refresh_token)).body;
    await fc.assert(
      fc.asyncProperty(mutationOf(refresh_token), async (forged) => {
        const { status, body } = await shop.refresh(forged);
        expect([status, body.error]).toEqual([400, 'invalid_grant']);
      }),
      { numRuns: 100 },
    );
    expect((await shop.refresh(refresh_token)).status).toBe(200);
  });

  test('a database that somebody read gives no token: it holds digests', async () => {
    const shop = await startShop({ metadata: publicClient });
    const { refresh_token } = await shop.tokens();
    const successor = (await shop.refresh(refresh_token)).body.refresh_token;
    const rows = JSON.stringify(await familiesOf(shop.idp));
    for (const token of [refresh_token, successor]) expect(rows).not.toContain(token.split('.')[2]);
  });
});

describe('a client changes its mind about rotation', () => {
  test('from keeping to replacing: the token it has is replaced at the next use', async () => {
    const shop = await startShop();
    const { refresh_token } = await shop.tokens();
    await updateClient(shop.idp.deps, 'shop', rotating, shop.idp.now());
    const { body } = await shop.refresh(refresh_token);
    expect(generationOf(body.refresh_token)).toBe(2);
  });

  test('from replacing to keeping: the newest token goes on, and older ones are refused', async () => {
    const shop = await startShop({ metadata: rotating });
    const { refresh_token } = await shop.tokens();
    const { body } = await shop.refresh(refresh_token);
    await updateClient(shop.idp.deps, 'shop', { refresh_token_rotation: false }, shop.idp.now());
    for (const _ of [1, 2]) expect((await shop.refresh(body.refresh_token)).status).toBe(200);
    shop.idp.advance(60);
    expect((await shop.refresh(refresh_token)).body.error).toBe('invalid_grant');
  });
});

function generationOf(refresh_token: string | undefined): number {
  return Number(refresh_token?.split('.')[1]);
}

/** The token with one character replaced by another, left out, or put in; never the token itself. */
function mutationOf(token: string): fc.Arbitrary<string> {
  const character = fc.constantFrom(...'ABCyz019-_.', '=', ' ', '%', 'é');
  return fc
    .tuple(fc.nat(token.length - 1), character, fc.constantFrom(0, 1))
    .map(([at, put, cut]) => token.slice(0, at) + put + token.slice(at + cut))
    .filter((mutated) => mutated !== token);
}

async function expectEnded(
  shop: Shop,
  tokens: { readonly access_token: string; readonly refresh_token: string } | undefined,
): Promise<void> {
  expect((await shop.idp.userinfo(tokens?.access_token ?? '')).status).toBe(401);
  const { status, body } = await shop.refresh(tokens?.refresh_token ?? '');
  expect([status, body.error]).toEqual([400, 'invalid_grant']);
}
