import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { errorCodes } from '../../src/oauth/error_codes.js';
import { errorObject, OAuthError, UserError } from '../../src/oauth/errors.js';
import { anyText } from '../support/arbitraries.js';

describe('an error for a client', () => {
  test('its description keeps to %x20-21 / %x23-5B / %x5D-7E, whatever it quotes (RFC 6749 §5.2, HTTP-10)', () => {
    fc.assert(
      fc.property(anyText(), (text) => {
        const { description } = new OAuthError('invalid_request', text);
        expect(description).toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]*$/);
        expect(description).toHaveLength(text.replaceAll('§', 'section ').length);
      }),
    );
  });

  test('its description says in other words what it may not hold', () => {
    const { description } = new OAuthError('invalid_request', 'state “a\\b” is too long (§5.2) ✗');
    expect(description).toBe("state 'a'b' is too long (section 5.2) ?");
  });

  test.each(Object.keys(errorCodes) as (keyof typeof errorCodes)[])(
    '%s is told with a link to its entry, also below a path (decisions 28, HTTP-10)',
    (code) => {
      const told = errorObject('https://id.example/sso', new OAuthError(code, 'it says why'));
      const error_uri = `https://id.example/sso/errors#${code}`;
      expect(told).toEqual({ error: code, error_description: 'it says why', error_uri });
      expect(new URL(told.error_uri).href).toBe(error_uri);
      expect(told.error_uri).toMatch(/^[\x21\x23-\x5b\x5d-\x7e]+$/);
    },
  );

  test('keeps its cause for the log alone', () => {
    const cause = new Error('the hidden reason');
    const error = new OAuthError('invalid_request', 'claims is not JSON', { cause });
    expect([error.cause, error.description]).toEqual([cause, 'claims is not JSON']);
  });

  test.each([
    ['invalid_request', 400],
    ['invalid_client', 401],
    ['invalid_grant', 400],
    ['invalid_token', 401],
    ['insufficient_scope', 403],
    ['server_error', 500],
    ['temporarily_unavailable', 503],
  ] as const)('%s is answered with %i (protocol.md §28)', (code, status) => {
    expect(new OAuthError(code, 'x').status).toBe(status);
  });
});

test.each([
  ['wrong_credentials', 400],
  ['form_expired', 403],
  ['too_many_attempts', 429],
  ['busy', 503],
] as const)('a person is told of %s with %i', (code, status) => {
  expect(new UserError(code, 'common.form_expired').status).toBe(status);
});
