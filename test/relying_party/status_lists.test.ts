import { setTimeout as pause } from 'node:timers/promises';
import { deflateSync } from 'node:zlib';
import type { JWTPayload } from 'jose';
import { describe, expect, test } from 'vitest';
import { RemoteError, TokenError } from '../../src/relying_party/index.js';
import { readStatusList, statusAt } from '../../src/relying_party/status_list.js';
import { badAnswers, startIssuer } from '../support/issuer.js';

const path = '/status-lists/1';

describe('a status list (Token Status List §4)', () => {
  const list = (bits: number, bytes: readonly number[]) =>
    readStatusList(
      { sub: 'u', iat: 1, status_list: { bits, lst: deflateSync(Buffer.from(bytes)).toString('base64url') } },
      'u',
      1,
    );

  test('of one bit: the example of §4.1', () => {
    const statuses = Array.from({ length: 17 }, (_, idx) => statusAt(list(1, [0xb9, 0xa3]), idx));
    expect(statuses).toEqual([1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1, undefined]);
  });

  test('of two bits: the example of §4.1', () => {
    const statuses = Array.from({ length: 13 }, (_, idx) => statusAt(list(2, [0xc9, 0x44, 0xf9]), idx));
    expect(statuses).toEqual([1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3, undefined]);
  });

  test('of four and of eight bits', () => {
    expect([0, 1, 2].map((idx) => statusAt(list(4, [0x21]), idx))).toEqual([1, 2, undefined]);
    expect([0, 1, 2].map((idx) => statusAt(list(8, [0, 255]), idx))).toEqual([0, 255, undefined]);
  });

  test('inflates the example of §4.2', () => {
    const claims = { sub: 'u', iat: 1, status_list: { bits: 1, lst: 'eNrbuRgAAhcBXQ' } };
    expect([...readStatusList(claims, 'u', 1).bytes]).toEqual([0xb9, 0xa3]);
  });
});

describe('a token with a status', () => {
  test('is good while its bit is 0, and refused when that is set, at the next ttl', async () => {
    const idp = await startIssuer();
    const verifier = idp.verifier();
    const [mine, other] = [await idp.token(idp.withStatus(9)), await idp.token(idp.withStatus(10))];
    await Promise.all([verifier.verify(mine), verifier.verify(other)]);
    expect(idp.asked(path)).toBe(1);

    idp.revoke(9);
    idp.advance(19);
    await verifier.verify(mine);
    expect(idp.asked(path)).toBe(1);
    idp.advance(1);
    await verifier.verify(mine); // fetches in the background
    await expect
      .poll(() => verifier.verify(mine).catch((error) => error))
      .toMatchObject({ reason: 'revoked', status: 401 });
    await verifier.verify(other);
    expect(idp.asked(path)).toBe(2);
  });

  test('is asked about by ETag, and 304 counts as fresh', async () => {
    const idp = await startIssuer();
    const verifier = idp.verifier();
    const token = await idp.token(idp.withStatus(9));
    await verifier.verify(token);
    for (let minutes = 0; minutes < 5; minutes += 1) {
      idp.advance(60); // too old to go on without an answer
      await verifier.verify(token);
    }
    const sent = idp.requests.filter((request) => request.path === path).map(({ headers }) => headers);
    expect(sent.map((headers) => headers['if-none-match'])).toEqual([undefined, ...Array(5).fill('"1"')]);
    expect(sent[0]?.accept).toBe('application/statuslist+jwt');
  });

  test('is fetched about again in time without a request that asks for it', async () => {
    const idp = await startIssuer();
    const short = await idp.statusList({ ttl: 1 });
    idp.faults.set(path, (_, res) => res.end(short));
    await idp.verifier().verify(await idp.token(idp.withStatus(9)));
    await expect.poll(() => idp.asked(path), { timeout: 5000 }).toBeGreaterThan(1);
  });

  test('that holds for longer than a timer can wait is not fetched all the time', async () => {
    const idp = await startIssuer();
    const month = await idp.statusList({ ttl: 2_592_000 });
    idp.faults.set(path, (_, res) => res.end(month));
    const verifier = idp.verifier({ max_staleness_seconds: Number.POSITIVE_INFINITY });
    await verifier.verify(await idp.token(idp.withStatus(9)));
    await pause(100);
    expect(idp.asked(path)).toBe(1);
  });

  test('that cannot be had, and a log that fails, give a TokenError all the same', async () => {
    const idp = await startIssuer();
    idp.faults.set(path, (_, res) => res.writeHead(500).end());
    const report = () => {
      throw new Error('the log is full');
    };
    const verifier = idp.verifier({ report });
    await expect(verifier.verify(await idp.token(idp.withStatus(9)))).rejects.toThrow(TokenError);
  });

  test('is refused where the list has no such index', async () => {
    const idp = await startIssuer();
    await expect(idp.verifier().verify(await idp.token(idp.withStatus(1024)))).rejects.toMatchObject({
      reason: 'status_index',
      status: 401,
    });
  });

  test('once revoked stays revoked when a server that lags behind answers an older list', async () => {
    const idp = await startIssuer();
    const verifier = idp.verifier();
    const older = await idp.statusList({ iat: idp.clock.now - 1 });
    idp.revoke(9);
    const token = await idp.token(idp.withStatus(9));
    await expect(verifier.verify(token)).rejects.toMatchObject({ reason: 'revoked' });
    idp.faults.set(path, (_, res) => res.end(older));
    idp.advance(60);
    await verifier.verify(await idp.token(idp.withStatus(10)));
    await expect(verifier.verify(token)).rejects.toMatchObject({ reason: 'revoked' });
  });
});

describe('a list that cannot be had', () => {
  const zip = (bytes: Uint8Array) => deflateSync(bytes).toString('base64url');
  const bomb = { status_list: { bits: 1, lst: zip(Buffer.alloc(2 ** 17 + 1)) } };
  const lists: readonly (readonly [string, JWTPayload, string?, string?])[] = [
    ['is signed by a key that is not the issuer’s', {}, 'statuslist+jwt', 'k9'],
    ['is an access token', {}, 'at+jwt'],
    ['is another list', { sub: 'https://id.example.com/status-lists/2' }],
    ['has expired', { exp: 1_800_000_000 }],
    ['has no time', { iat: undefined as never }],
    ['is none', { status_list: undefined }],
    ['has three bits', { status_list: { bits: 3, lst: zip(Buffer.alloc(9)) } }],
    ['holds no deflated bytes', { status_list: { bits: 1, lst: 'AAAA' } }],
    ['is a decompression bomb', bomb],
  ];
  const wrong = [
    ...badAnswers.map(([what, answer]) => [`is ${what}`, async () => answer] as const),
    ...lists.map(([what, change, typ, kid]) => {
      const answer = async (idp: Awaited<ReturnType<typeof startIssuer>>) => {
        const body = await idp.statusList(change, typ, kid);
        return (_: unknown, res: import('node:http').ServerResponse) => res.end(body);
      };
      return [what, answer] as const;
    }),
  ];

  test.each(wrong)('because it %s: 503, and recovery by itself', async (_, answer) => {
    const idp = await startIssuer();
    const verifier = idp.verifier();
    const token = await idp.token(idp.withStatus(9));
    idp.faults.set(path, await answer(idp));
    const unavailable = { code: 'temporarily_unavailable', reason: 'status_unavailable', status: 503 };
    await expect(verifier.verify(token)).rejects.toMatchObject(unavailable);
    expect(verifier.reported.length).toBe(1);
    expect((await verifier.verify(await idp.token())).sub).toBe('u1'); // a token without a status

    idp.faults.clear();
    idp.advance(1);
    expect((await verifier.verify(token)).sub).toBe('u1');
  });

  // 304 is what it should be, once there is a list.
  test.each(wrong.filter(([what]) => !what.includes('304')))(
    'any more, because it %s: the last good one serves for 60 s',
    async (_, answer) => {
      const idp = await startIssuer();
      const verifier = idp.verifier();
      const [good, bad] = [await idp.token(idp.withStatus(9)), await idp.token(idp.withStatus(10))];
      idp.revoke(10);
      await verifier.verify(good);
      idp.faults.set(path, await answer(idp));
      idp.advance(59);
      await verifier.verify(good);
      idp.advance(1);
      await expect(verifier.verify(good)).rejects.toMatchObject({ reason: 'status_unavailable' });
      await expect(verifier.verify(bad)).rejects.toMatchObject({ reason: 'revoked' });

      idp.faults.clear();
      idp.advance(1);
      await verifier.verify(good);
    },
  );

  test('and stale: ‘accept’ goes on with what is known, a revocation above all', async () => {
    const idp = await startIssuer();
    const verifier = idp.verifier({ stale: 'accept' });
    const [good, bad] = [await idp.token(idp.withStatus(9)), await idp.token(idp.withStatus(10))];
    idp.revoke(10);
    await verifier.verify(good);
    await idp.stop();
    idp.advance(300);
    await verifier.verify(good);
    await expect(verifier.verify(bad)).rejects.toMatchObject({ reason: 'revoked' });
    expect(verifier.reported.every((fault) => fault instanceof RemoteError)).toBe(true);
  });

  test('is asked for once a second at most', async () => {
    const idp = await startIssuer();
    const verifier = idp.verifier();
    idp.faults.set(path, (_, res) => res.writeHead(500).end());
    const token = await idp.token(idp.withStatus(9));
    for (let i = 0; i < 20; i += 1) await verifier.verify(token).catch(() => undefined);
    expect(idp.asked(path)).toBe(1);
  });
});
