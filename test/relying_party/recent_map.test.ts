import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRecentMap } from '../../src/relying_party/recent_map.js';

test('a map of the recent never holds more than its size, and never a wrong value', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 10 }),
      fc.array(fc.tuple(fc.nat(20), fc.boolean())),
      (size, steps) => {
        const map = createRecentMap<number>(size + (size % 2));
        for (const [key, write] of steps) {
          if (write) map.set(`${key}`, key);
          else expect([undefined, key]).toContain(map.get(`${key}`));
          if (write) expect(map.get(`${key}`)).toBe(key);
          expect(map.size).toBeLessThanOrEqual(size + (size % 2));
        }
      },
    ),
  );
});

test('what is used again and again stays, whatever else comes', () => {
  const map = createRecentMap<number>(4);
  map.set('mine', 1);
  for (let i = 0; i < 100; i += 1) {
    map.set(`other ${i}`, i);
    expect(map.get('mine')).toBe(1);
  }
  expect(map.get('other 1')).toBeUndefined();
});
