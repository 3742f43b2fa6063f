import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  parseLogoutRequest,
  registeredLogoutUri,
  requestingClientId,
} from '../../src/oauth/logout_request.js';
import { parseParams } from '../../src/oauth/params.js';
import { anyText } from '../support/arbitraries.js';
import { type Form, formBody } from '../support/idp.js';
import { refusalOf } from '../support/refusal.js';

const after = 'https://shop.example/signed-out';
const shop = { client_id: 'shop', post_logout_redirect_uris: [after, 'http://127.0.0.1/bye'] };
const hint = { client_id: 'shop', sid: 'sid-1' };
const paramsOf = (form: Form) => parseParams(formBody(form).toString());

describe('who asks to sign out (RP-Initiated Logout §2)', () => {
  test.each([
    ['nobody says so', {}, undefined, null],
    ['the hint says so', {}, hint, 'shop'],
    ['client_id says so', { client_id: 'shop' }, undefined, 'shop'],
    ['both say so', { client_id: 'shop' }, hint, 'shop'],
    ['an empty client_id says nothing', { client_id: '' }, hint, 'shop'],
  ])('%s', (_, form, given, client_id) => {
    expect(requestingClientId(paramsOf(form), given)).toBe(client_id);
  });

  test('a client_id that is not the audience of the hint is refused (RIL-06)', () => {
    expect(refusalOf(() => requestingClientId(paramsOf({ client_id: 'blog' }), hint))).toBe(
      'invalid_request',
    );
  });
});

describe('a request to sign out', () => {
  test('is read in full', () => {
    const params = paramsOf({
      post_logout_redirect_uri: after,
      state: 's',
      logout_hint: 'x',
      ui_locales: 'de',
    });
    expect(parseLogoutRequest(params, hint, shop)).toEqual({
      client_id: 'shop',
      post_logout_redirect_uri: after,
      state: 's',
      hint_sid: 'sid-1',
      ui_locales: ['de'],
    });
  });

  test('may be empty', () => {
    expect(parseLogoutRequest(paramsOf({}), undefined, undefined)).toEqual({
      client_id: null,
      post_logout_redirect_uri: null,
      state: null,
      hint_sid: null,
      ui_locales: [],
    });
  });

  test('without a client its redirect URI is ignored, registered somewhere or not (protocol.md RIL-05)', () => {
    const params = paramsOf({ post_logout_redirect_uri: after });
    expect(parseLogoutRequest(params, undefined, undefined).post_logout_redirect_uri).toBeNull();
  });

  test.each([
    ['a query added', `${after}?x=1`],
    ['an empty query added', `${after}?`],
    ['a trailing slash', `${after}/`],
    ['a fragment', `${after}#x`],
    ['capitals', 'https://shop.example/Signed-Out'],
    ['another host', 'https://evil.example/signed-out'],
    ['a user name', 'https://shop.example@evil.example/signed-out'],
    ['a path trick', 'https://shop.example/x/..;/signed-out'],
    ['another port, which is for redirect URIs alone', 'http://127.0.0.1:5000/bye'],
    ['javascript:', 'javascript:alert(1)'],
  ])(
    'with a redirect URI with %s is refused (protocol.md RIL-04, hardening 5)',
    (_, post_logout_redirect_uri) => {
      const params = paramsOf({ post_logout_redirect_uri });
      expect(refusalOf(() => parseLogoutRequest(params, hint, shop))).toBe('invalid_request');
    },
  );

  test.each([
    ['a state that is too long', { state: 'x'.repeat(2049) }],
    ['two states', { state: ['a', 'b'] }],
    ['two redirect URIs', { post_logout_redirect_uri: [after, after] }],
  ])('with %s is refused', (_, form) => {
    expect(refusalOf(() => parseLogoutRequest(paramsOf(form), hint, shop))).toBe('invalid_request');
  });

  test('no text but a registered one is ever redirected to', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          anyText(),
          anyText(3).map((text) => after + text),
        ),
        (wanted) => {
          const refused = refusalOf(() => registeredLogoutUri(wanted, [after]));
          expect(refused).toBe(wanted === after ? null : 'invalid_request');
        },
      ),
    );
  });
});
