import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as secretKeys from '../../src/store/secret_keys.js';
import { statement } from '../../src/store/statement.js';
import { anyText } from '../support/arbitraries.js';
import { startIdp } from '../support/idp.js';

const moveWrapped = statement<{ from: string; to: string }>((sql, value) =>
  sql('secret_keys')
    .where({ purpose: value.to })
    .update({ key_wrapped: sql('secret_keys').select('key_wrapped').where({ purpose: value.from }) }),
);

describe('the key ring', () => {
  test('opens what it sealed, for the same purpose and context alone', async () => {
    const ring = await (await startIdp()).deps.keys.get();
    const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));
    const purpose = fc.constantFrom(...secretKeys.purposes);
    fc.assert(
      fc.property(bytes, purpose, purpose, fc.string(), fc.string(), (plain, one, other, here, there) => {
        const sealed = ring.seal(one, plain, here);
        expect(ring.open(one, sealed, here)?.equals(plain)).toBe(true);
        if (one !== other) expect(ring.open(other, sealed, here)).toBeUndefined();
        if (here !== there) expect(ring.open(one, sealed, there)).toBeUndefined();
      }),
    );
  });

  test('knows its own MACs, for the same purpose and text alone', async () => {
    const ring = await (await startIdp()).deps.keys.get();
    const purpose = fc.constantFrom(...secretKeys.purposes);
    fc.assert(
      fc.property(purpose, purpose, fc.string(), fc.string(), (one, other, text, another) => {
        const mac = ring.mac(one, text);
        expect([ring.isMac(one, text, mac), mac.length]).toEqual([true, 43]);
        if (one !== other) expect(ring.isMac(other, text, mac)).toBe(false);
        if (text !== another) expect(ring.isMac(one, another, mac)).toBe(false);
      }),
    );
  });

  test('opens and recognises nothing of what a stranger makes up, and never throws', async () => {
    const ring = await (await startIdp()).deps.keys.get();
    const [id] = ring.seal('seal', Buffer.from('x'), '').split('.');
    const text = fc.oneof(
      anyText(),
      fc.base64String().map((tail) => `${id}.${tail}`),
    );
    fc.assert(
      fc.property(text, (made_up) => {
        expect(ring.open('seal', made_up, '')).toBeUndefined();
        expect(ring.isMac('csrf', 'text', made_up)).toBe(false);
        expect(ring.verify('JWT', made_up, 0)).toBeUndefined();
      }),
      { numRuns: 200 },
    );
  });

  test('is not opened where a wrapped key was moved to another row of the database', async () => {
    const idp = await startIdp();
    await idp.db.run(moveWrapped, { from: 'device', to: 'csrf' });
    await idp.restart();
    await expect(idp.deps.keys.get()).rejects.toThrow(/does not open under the master key .* it was changed/);
  });

  test('keeps the bytes of the JWK Set while the same keys are published', async () => {
    const idp = await startIdp();
    const ring = await idp.deps.keys.get();
    expect(ring.published(idp.now())).toBe(ring.published(idp.now() + 100));
  });

  test('is read again after it could not be read once', async () => {
    const idp = await startIdp();
    const { db, caches } = idp.deps;
    let broken = true;
    const kept = caches.keep('keys', async () => {
      if (broken) throw new Error('the database is away');
      return (await secretKeys.list(db)).length;
    });
    await expect(kept.get()).rejects.toThrow('away');
    broken = false;
    expect(await kept.get()).toBe(secretKeys.purposes.length);
  });
});
