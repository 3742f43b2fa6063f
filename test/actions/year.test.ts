import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose';
import { describe, expect, test } from 'vitest';
import { ensureKeys, rotateDueKeys, rotateSigningKey } from '../../src/actions/keys.js';
import { rewrapKeys } from '../../src/actions/rewrap_keys.js';
import type { Db } from '../../src/store/db.js';
import * as signingKeys from '../../src/store/signing_keys.js';
import { anotherProcess } from '../support/another_process.js';
import { startIdp, type TestIdp } from '../support/idp.js';
import { newKeysFolder } from '../support/keys_folder.js';

const day = 86_400;
/** How long an application may keep the JWK Set, and how long the longest token lives. */
const max_age = 300;
const lifetime = 600;

type Issued = Readonly<{ token: string; at: number }>;
type Published = Readonly<{ set: JSONWebKeySet; at: number }>;

async function publishedNow(idp: TestIdp): Promise<JSONWebKeySet> {
  return JSON.parse((await idp.deps.keys.get()).published(idp.now()).body.toString());
}

async function issue(idp: TestIdp): Promise<Issued> {
  const at = idp.now();
  const claims = { iss: idp.issuer, sub: 'x', aud: 'api', iat: at, exp: at + lifetime };
  return { token: await (await idp.deps.keys.get()).sign('at+jwt', claims, at), at };
}

async function verifies({ token }: Issued, { set, at }: Published): Promise<boolean> {
  const options = { typ: 'at+jwt', currentDate: new Date(at * 1000) };
  return jwtVerify(token, createLocalJWKSet(set), options).then(
    () => true,
    () => false,
  );
}

/** One step in time, as a running server takes it: its job first. */
async function step(idp: TestIdp, seconds: number): Promise<void> {
  idp.advance(seconds);
  await rotateDueKeys(idp.deps, idp.now());
}

test('in a year of rotations every token can be verified by an application that caches as long as it may (JWK-04)', async () => {
  const folder = await newKeysFolder();
  const idp = await startIdp({ settings: { MASTER_KEY: '', KEYS_DIR: folder } });
  await ensureKeys(idp.deps, idp.now());
  const ends = idp.now() + 365 * day;
  const used = new Set<string>();
  const rewrap_days = new Set([100, 200, 300]);
  let days = 0;
  let recent: { issued: Issued[]; published: Published[] } = { issued: [], published: [] };

  const look = async () => {
    const now = idp.now();
    const published = { set: await publishedNow(idp), at: now };
    const issued = await issue(idp);
    used.add(String(decodeProtectedHeader(issued.token).kid));
    recent = {
      issued: [...recent.issued, issued].filter(({ at }) => at > now - lifetime),
      published: [...recent.published, published].filter(({ at }) => at >= now - max_age),
    };
    // Whatever copy an application may still have at this moment, it verifies whatever is still valid.
    for (const token of recent.issued) {
      for (const copy of recent.published) {
        const verified = await verifies(token, { ...copy, at: now });
        expect({ issued_at: token.at, fetched_at: copy.at, verified }).toMatchObject({ verified: true });
      }
    }
  };

  while (idp.now() < ends) {
    await step(idp, day);
    days += 1;
    if (rewrap_days.has(days)) await rewrapKeys(idp.deps, idp.now());
    recent = { issued: [], published: [] };
    await look();
    const keys = await signingKeys.list(idp.db);
    const signing = keys.filter(({ alg }) => alg === 'RS256');
    const changing = signing.some((key) => key.active_at > idp.now() || (key.expires_at ?? 0) > idp.now());
    // Around a rotation the clock goes in steps of a hundred seconds.
    for (let i = 0; changing && i < 20; i += 1) {
      await step(idp, 100);
      await look();
    }
  }
  expect(used.size).toBe(5); // the first and one each 90 days
  const signing = (await signingKeys.list(idp.db)).filter(({ alg }) => alg === 'RS256');
  expect(signing.length).toBeLessThanOrEqual(2);
}, 60_000);

/** A process that dies when it sends its nth statement: what was not committed is gone. */
function dyingAt(db: Db, nth: number): Db {
  let sent = 0;
  const died = () => new Error('killed');
  const dies = () => ++sent >= nth;
  return {
    ...db,
    all: (statement, values) => (dies() ? Promise.reject(died()) : db.all(statement, values)),
    first: (statement, values) => (dies() ? Promise.reject(died()) : db.first(statement, values)),
    run: (statement, values) => (dies() ? Promise.reject(died()) : db.run(statement, values)),
    transaction: (work) =>
      db.transaction((trx) =>
        work({
          ...trx,
          all: (statement, values) => (dies() ? Promise.reject(died()) : trx.all(statement, values)),
          first: (statement, values) => (dies() ? Promise.reject(died()) : trx.first(statement, values)),
          run: (statement, values) => (dies() ? Promise.reject(died()) : trx.run(statement, values)),
          append: (statement, values) => (dies() ? Promise.reject(died()) : trx.append(statement, values)),
        }),
      ),
  };
}

describe.each([
  [
    'a rotation',
    (deps: Parameters<typeof rewrapKeys>[0], now: number) => rotateSigningKey(deps, { at_once: true }, now),
  ],
  ['a move to a new master key', rewrapKeys],
  [
    'the rotation of everything that is due',
    (deps: Parameters<typeof rewrapKeys>[0], now: number) => rotateDueKeys(deps, now + 91 * day),
  ],
] as const)('a process that dies between two statements of %s', (_, work) => {
  test('leaves keys that open, sign and verify, and the next try succeeds', async () => {
    const folder = await newKeysFolder();
    const idp = await startIdp({ settings: { MASTER_KEY: '', KEYS_DIR: folder } });
    await ensureKeys(idp.deps, idp.now());
    for (let nth = 1, done = false; !done; nth += 1) {
      const before = await issue(idp);
      const operator = await anotherProcess(idp);
      done = await work({ ...operator, db: dyingAt(operator.db, nth) }, idp.now()).then(
        () => true,
        (error: Error) => {
          expect(error.message).toBe('killed');
          return false;
        },
      );
      await idp.restart();
      const now = { set: await publishedNow(idp), at: idp.now() };
      expect(await verifies(before, now)).toBe(true);
      expect(await verifies(await issue(idp), now)).toBe(true);
      expect(nth).toBeLessThan(60);
    }
  });
});

test('a master key file that was made by a process that died is no harm, and is used by the next move', async () => {
  const folder = await newKeysFolder();
  const idp = await startIdp({ settings: { MASTER_KEY: '', KEYS_DIR: folder } });
  await ensureKeys(idp.deps, idp.now());
  const operator = await anotherProcess(idp);
  await expect(rewrapKeys({ ...operator, db: dyingAt(operator.db, 1) }, idp.now())).rejects.toThrow('killed');
  await idp.restart();
  await rewrapKeys(idp.deps, idp.now());
  await rm(join(folder, 'master-0001.key'));
  await rm(join(folder, 'master-0002.key'));
  await idp.restart();
  const token = await issue(idp);
  expect(await verifies(token, { set: await publishedNow(idp), at: idp.now() })).toBe(true);
});
