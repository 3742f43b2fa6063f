import fc from 'fast-check';
import { expect, test } from 'vitest';
import { acrOf, acrs, acrToTell, metBy, withFactor } from '../../src/oauth/acr.js';

const [one, two, phr] = acrs;

test.each([
  [['pwd'], one],
  [['pwd', 'otp', 'mfa'], two],
  [['pwd', 'hwk', 'pop', 'user', 'mfa'], phr],
  [['swk', 'pop', 'user', 'mfa'], phr],
  [['hwk', 'pop', 'user'], one],
  [[], one],
])('%j is %s', (amr, acr) => {
  expect(acrOf(amr)).toBe(acr);
});

test('a further factor adds its words once, and says that there were several', () => {
  expect(withFactor(['pwd'], ['otp'])).toEqual(['pwd', 'otp', 'mfa']);
  expect(withFactor(['pwd', 'otp', 'mfa'], ['otp'])).toEqual(['pwd', 'otp', 'mfa']);
});

test.each<[string, string, readonly string[] | null, readonly string[]]>([
  [one, one, null, []],
  [phr, phr, null, []],
  [two, phr, null, [two]],
  [two, phr, [two], [phr]],
  [phr, phr, null, [phr, two]],
  [one, one, null, [two]],
  ['urn:other', 'urn:other', ['urn:other'], []],
])(
  '%s is told of a session with %s where %j is required and %j wanted (OpenID Connect Core §5.5.1.1)',
  (told, acr, required, wanted) => {
    expect(acrToTell(acr, { required, wanted })).toBe(told);
  },
);

test('what is told is always met', () => {
  const some = fc.subarray([...acrs, 'urn:other']);
  fc.assert(
    fc.property(fc.constantFrom(...acrs), fc.option(some, { nil: null }), some, (acr, required, wanted) => {
      expect(metBy(acr)).toContain(acrToTell(acr, { required, wanted }));
    }),
  );
});
