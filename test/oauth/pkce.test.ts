import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseChallenge, verifyChallenge } from '../../src/oauth/pkce.js';
import { digest } from '../../src/secrets.js';
import { anyText } from '../support/arbitraries.js';
import { code_challenge, code_verifier } from '../support/idp.js';
import { descriptionOf, refusalOf } from '../support/refusal.js';

const unreserved = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~';
const verifier = fc.string({ unit: fc.constantFrom(...unreserved), minLength: 43, maxLength: 128 });

describe('code_challenge (RFC 7636 §4.3)', () => {
  test('that of RFC 7636 appendix B is accepted, required or not (AUT-14)', () => {
    for (const required of [true, false])
      expect(parseChallenge(code_challenge, 'S256', required)).toBe(code_challenge);
  });

  test.each([
    ['the method is plain', code_challenge, 'plain'],
    ['the method is missing, which means plain', code_challenge, undefined],
    ['the method is in lower case', code_challenge, 's256'],
    ['the method is unknown', code_challenge, 'S512'],
    ['it has 42 characters', 'a'.repeat(42), 'S256'],
    ['it has 129 characters', 'a'.repeat(129), 'S256'],
    ['it is padded', `${code_challenge}=`, 'S256'],
    ['it is base64 rather than base64url', `${code_challenge.slice(1)}+`, 'S256'],
    ['it ends in a line feed', `${code_challenge}\n`, 'S256'],
    ['it holds a letter outside ASCII', `${code_challenge.slice(1)}ä`, 'S256'],
    ['there is a method without it', undefined, 'S256'],
  ])('is refused when %s (AUT-14)', (_, challenge, method) => {
    for (const required of [true, false])
      expect(refusalOf(() => parseChallenge(challenge, method, required))).toBe('invalid_request');
  });

  test('is refused when missing although the client must use PKCE (OAuth 2.1 §4.1.1, AUT-15, BCP-02)', () => {
    expect(refusalOf(() => parseChallenge(undefined, undefined, true))).toBe('invalid_request');
    expect(descriptionOf(() => parseChallenge(undefined, undefined, true))).toContain(
      'code_challenge is missing',
    );
  });

  test('may be missing where PKCE is not required', () => {
    expect(parseChallenge(undefined, undefined, false)).toBeNull();
  });
});

describe('code_verifier (RFC 7636 §4.6)', () => {
  test('that of RFC 7636 appendix B fits its challenge', () => {
    expect(verifyChallenge(code_challenge, code_verifier)).toBe(true);
  });

  test.each([
    ['missing', undefined],
    ['empty', ''],
    ['the challenge itself', code_challenge],
    ['another', 'a'.repeat(43)],
    ['different in its last character', `${code_verifier.slice(0, -1)}l`],
    ['longer', `${code_verifier}a`],
    ['in upper case', code_verifier.toUpperCase()],
  ])('does not fit when it is %s (COD-05)', (_, given) => {
    expect(verifyChallenge(code_challenge, given)).toBe(false);
  });

  test.each([
    ['42 characters', 'a'.repeat(42)],
    ['129 characters', 'a'.repeat(129)],
    ['a character that is not unreserved', `${'a'.repeat(43)}+`],
    ['a space at its end', `${'a'.repeat(43)} `],
  ])('does not fit with %s, even if its digest does (RFC 7636 §4.1, COD-08)', (_, malformed) => {
    expect(verifyChallenge(digest(malformed), malformed)).toBe(false);
  });

  test('fits its own challenge and no other', () => {
    fc.assert(
      fc.property(verifier, verifier, (own, other) => {
        expect(parseChallenge(digest(own), 'S256', true)).toBe(digest(own));
        expect(verifyChallenge(digest(own), own)).toBe(true);
        expect(verifyChallenge(digest(own), other)).toBe(own === other);
      }),
    );
  });

  test('any text is compared without a throw', () => {
    fc.assert(
      fc.property(anyText(), anyText(200), (challenge, given) => {
        expect(verifyChallenge(challenge, given)).toBe(false);
      }),
    );
  });
});
