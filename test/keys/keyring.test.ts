import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  isRotationDue,
  type KeyTimes,
  keyEnds,
  keyState,
  publishedKeys,
  signingKey,
} from '../../src/keys/keyring.js';

interface Key extends KeyTimes {
  readonly kid: string;
}

function key(kid: string, times: Partial<KeyTimes> & { active_at: number }): Key {
  return { kid, created_at: times.active_at, retired_at: null, expires_at: null, ...times };
}

describe('the state of a key follows from its times', () => {
  const old = key('old', { active_at: 0, retired_at: 1000, expires_at: 1600 });
  const next = key('next', { created_at: 400, active_at: 1000 });
  const keys = [old, next];

  test.each([
    [999, 'active', 'announced', 'old'],
    [1000, 'retired', 'active', 'next'],
    [1599, 'retired', 'active', 'next'],
    [1600, 'gone', 'active', 'next'],
  ])('at %i the old key is %s, the next one %s, and %s signs', (now, oldState, nextState, signs) => {
    expect([keyState(old, keys, now), keyState(next, keys, now)]).toEqual([oldState, nextState]);
    expect(signingKey(keys, now)?.kid).toBe(signs);
    expect(publishedKeys(keys, now).map(({ kid }) => kid)).toEqual(now < 1600 ? ['old', 'next'] : ['next']);
  });

  test('no key signs before the first one’s time', () => {
    expect(signingKey([next], 999)).toBeUndefined();
    expect(signingKey([], 0)).toBeUndefined();
  });

  test('of two keys whose time has come, the later one signs', () => {
    const twins = [key('a', { active_at: 0 }), key('b', { active_at: 5 })];
    expect(signingKey(twins, 5)?.kid).toBe('b');
    expect(signingKey(twins.toReversed(), 5)?.kid).toBe('b');
  });

  test.each([
    [99, false],
    [100, true],
    [500, true],
  ])('%i seconds after the newest key’s time a rotation every 100 s is due: %s', (seconds, due) => {
    const keys = [key('a', { active_at: 0 }), key('b', { active_at: 1000 })];
    expect(isRotationDue(keys, 100, 1000 + seconds)).toBe(due);
  });

  test('an announced key is not followed by a second one', () => {
    expect(isRotationDue([key('a', { active_at: 0 }), key('b', { active_at: 1000 })], 100, 600)).toBe(false);
  });
});

describe('keyEnds', () => {
  const ends = (keys: readonly Key[], now: number) =>
    Object.fromEntries(keyEnds(keys, 660, now).map((end) => [end.key.kid, [end.retired_at, end.expires_at]]));

  test('lets each key sign until the next one’s time', () => {
    const keys = [key('c', { active_at: 300 }), key('a', { active_at: 0 }), key('b', { active_at: 200 })];
    expect(ends(keys, 100)).toEqual({ a: [200, 860], b: [300, 960], c: [null, null] });
  });

  test('gives a key its time back when the one that was to follow it is taken out', () => {
    expect(ends([key('a', { active_at: 0, retired_at: 600, expires_at: 1260 })], 100)).toEqual({
      a: [null, null],
    });
  });

  test('leaves a key alone whose time is over', () => {
    const keys = [key('a', { active_at: 0, retired_at: 100, expires_at: 760 }), key('b', { active_at: 300 })];
    expect(ends(keys, 100)).toEqual({ b: [null, null] });
  });
});

/** What actions/keys.ts does with rows, done with values: the properties below are about the times alone. */
interface Life {
  now: number;
  readonly keys: Key[];
  made: number;
  /** Every key that was ever published, with what is known of it. */
  readonly signed: Map<string, number>;
}

const lead = 600;
const token_seconds = 660;

function add(life: Life, active_at: number): void {
  life.made += 1;
  life.keys.push({
    kid: `k${life.made}`,
    created_at: life.now,
    active_at,
    retired_at: null,
    expires_at: null,
  });
}

function settle(life: Life): void {
  for (const { key: ended, retired_at, expires_at } of keyEnds(life.keys, token_seconds, life.now)) {
    const at = life.keys.findIndex(({ kid }) => kid === ended.kid);
    life.keys[at] = { ...ended, retired_at, expires_at };
  }
}

type Change =
  | { what: 'pass'; seconds: number }
  | { what: 'rotate' | 'now' }
  | { what: 'retire'; which: number };

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ what: fc.constant('pass' as const), seconds: fc.nat(2000) }),
  fc.record({ what: fc.constantFrom('rotate' as const, 'now' as const) }),
  fc.record({ what: fc.constant('retire' as const), which: fc.nat(9) }),
);

function apply(life: Life, step: Change): void {
  if (step.what === 'rotate') add(life, life.now + lead);
  if (step.what === 'now') add(life, life.now);
  if (step.what === 'retire') {
    life.keys.splice(step.which % life.keys.length, 1);
    if (signingKey(life.keys, life.now) === undefined) add(life, life.now);
  }
  if (step.what !== 'pass') settle(life);
}

/** Lives through every second that matters between two moments, and checks each of them. */
function pass(life: Life, seconds: number, check: (now: number) => void): void {
  const until = life.now + seconds;
  const moments = life.keys.flatMap((k) => [k.active_at, k.retired_at ?? until, k.expires_at ?? until]);
  for (const now of [life.now, ...moments.flatMap((at) => [at - 1, at]), until].sort((a, b) => a - b)) {
    if (now >= life.now && now <= until) check(now);
  }
  life.now = until;
}

test('over any life of rotations and retirements exactly one key signs, and every living token verifies (JWK-04)', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 15 }), (changes) => {
      const life: Life = { now: 1_000_000, keys: [], made: 0, signed: new Map() };
      add(life, life.now);
      const check = (now: number) => {
        const states = life.keys.map((k) => keyState(k, life.keys, now));
        expect(states.filter((state) => state === 'active')).toHaveLength(1);

        const signs = signingKey(life.keys, now);
        if (signs !== undefined) life.signed.set(signs.kid, now);
        const published = publishedKeys(life.keys, now).map(({ kid }) => kid);
        expect(published).toContain(signs?.kid);
        // A token that was signed at `at` may live `token_seconds - 60`; a key that was taken out is another matter.
        for (const [kid, at] of life.signed) {
          const here = life.keys.some((k) => k.kid === kid);
          if (here && now < at + token_seconds - 60) expect(published).toContain(kid);
        }
      };
      for (const step of [...changes, { what: 'pass' as const, seconds: 5000 }]) {
        apply(life, step);
        pass(life, step.what === 'pass' ? step.seconds : 0, check);
      }
      expect(publishedKeys(life.keys, life.now)).toHaveLength(1);
    }),
    { numRuns: 300 },
  );
});

test('a key that is announced is published for the whole lead time before it signs (JWK-04)', () => {
  const seconds = fc.record({ what: fc.constant('pass' as const), seconds: fc.nat(2000) });
  const rotate = fc.record({ what: fc.constant('rotate' as const) });
  fc.assert(
    fc.property(fc.array(fc.oneof(seconds, rotate), { maxLength: 15 }), (changes) => {
      const life: Life = { now: 1_000_000, keys: [], made: 0, signed: new Map() };
      add(life, life.now);
      const seen = new Map([['k1', 0]]);
      for (const step of changes) {
        apply(life, step);
        pass(life, step.what === 'pass' ? step.seconds : 0, (now) => {
          for (const { kid } of publishedKeys(life.keys, now)) seen.set(kid, seen.get(kid) ?? now);
          expect(now - (seen.get(signingKey(life.keys, now)?.kid ?? '') ?? now)).toBeGreaterThanOrEqual(lead);
        });
      }
    }),
    { numRuns: 200 },
  );
});
