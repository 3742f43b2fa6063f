import { describe, expect, test } from 'vitest';
import { consumeChallenge, newChallenge, openChallenge } from '../../src/factors/passkey_challenge.js';
import { engines } from '../support/database.js';
import { startIdp } from '../support/idp.js';

const ceremony = { kind: 'authentication', browser: 'b1', user_id: null } as const;

describe('the challenge of a passkey', () => {
  test('opens for the browser and the ceremony it was made for, for five minutes', async () => {
    const idp = await startIdp();
    const ring = await idp.deps.keys.get();
    const { value, sealed } = newChallenge(ring, ceremony, 1000);
    expect(sealed).not.toContain(value);
    expect(openChallenge(ring, sealed, ceremony, 1299)).toEqual({ value, expires_at: 1300 });
  });

  test.each([
    ['another browser', { ...ceremony, browser: 'b2' }, 1000],
    ['a registration', { ...ceremony, kind: 'registration' as const }, 1000],
    ['a person, where anybody was meant', { ...ceremony, user_id: 'ada' }, 1000],
    ['somebody who took five minutes', ceremony, 1300],
  ])('does not open for %s', async (_, there, now) => {
    const ring = await (await startIdp()).deps.keys.get();
    expect(openChallenge(ring, newChallenge(ring, ceremony, 1000).sealed, there, now)).toBeUndefined();
  });

  test('is none where somebody else wrote it', async () => {
    const ring = await (await startIdp()).deps.keys.get();
    const { sealed } = newChallenge(ring, ceremony, 1000);
    const elsewhere = ring.seal('seal', Buffer.from('{}'), 'authorization');
    for (const text of ['', 'x', `${sealed}A`, sealed.slice(0, -2), elsewhere])
      expect(openChallenge(ring, text, ceremony, 1000)).toBeUndefined();
  });

  test.each(engines)('is used up once: of twenty at the same moment one has it, on %s', async (engine) => {
    const idp = await startIdp({ engine });
    const challenge = { value: 'random', expires_at: 1300 };
    const consumed = await Promise.all(
      Array.from({ length: 20 }, () => idp.db.transaction((trx) => consumeChallenge(trx, challenge))),
    );
    expect(consumed.filter(Boolean)).toHaveLength(1);
  });
});
