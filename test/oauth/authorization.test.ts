import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { consentEachTime, wantedWords, wordsToApprove } from '../../src/oauth/authorization.js';
import type { AuthorizationRequest } from '../../src/oauth/authorization_request.js';
import { parseClientMetadata } from '../../src/oauth/client_metadata.js';
import { code_challenge, redirect_uri } from '../support/idp.js';

function client(metadata: object = {}) {
  const usual = { client_name: 'Shop', redirect_uris: [redirect_uri] };
  return parseClientMetadata({ ...usual, ...metadata }, { allow_loopback_http: true });
}

function request(changes: Partial<AuthorizationRequest> = {}): AuthorizationRequest {
  return {
    client_id: 'shop',
    redirect_uri,
    response_type: 'code',
    response_mode: 'query',
    state: null,
    scope: ['openid'],
    ignored_scope: [],
    nonce: null,
    code_challenge,
    prompt: [],
    max_age: null,
    acr_values: [],
    login_hint: null,
    ui_locales: [],
    hint_sub: null,
    claims: { userinfo: {}, id_token: {} },
    resource: [],
    pushed: null,
    ...changes,
  };
}

describe('what a request wants the user to agree to (OpenID Connect Core §3.1.2.4)', () => {
  test.each([
    ['nothing but signing in', { scope: [] }, ['sign_in']],
    ['scopes', { scope: ['openid', 'email'] }, ['sign_in', 'openid', 'email']],
    [
      'single claims, of either place, each once',
      { claims: { userinfo: { email: {} }, id_token: { email: {}, name: { essential: true } } } },
      ['sign_in', 'openid', 'claim:email', 'claim:name'],
    ],
    [
      'what says nothing about a person is not asked',
      { claims: { userinfo: {}, id_token: { sub: {}, acr: {}, auth_time: {} } } },
      ['sign_in', 'openid'],
    ],
    [
      'resources',
      { resource: ['urn:example:api', 'https://api.example'] },
      ['sign_in', 'openid', 'resource:urn:example:api', 'resource:https://api.example'],
    ],
  ])('%s', (_, changes, words) => {
    expect(wantedWords(request(changes))).toEqual(words);
  });

  test('what was agreed to is not asked again, what is new is', () => {
    const wide = request({ scope: ['openid', 'email', 'profile'] });
    expect(wordsToApprove(wide, client(), ['sign_in', 'openid', 'email'])).toEqual(['profile']);
    expect(wordsToApprove(wide, client(), [])).toEqual(['sign_in', 'openid', 'email', 'profile']);
  });

  test('an application of the operator asks for nothing', () => {
    expect(
      wordsToApprove(request({ scope: ['openid', 'email'] }), client({ first_party: true }), []),
    ).toEqual([]);
  });

  test('after agreeing to all that is wanted nothing is left, and something new is never covered by it', () => {
    const words = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,3}$/), { maxLength: 6 });
    fc.assert(
      fc.property(words, words, (before, now) => {
        const approved = wantedWords(request({ scope: before }));
        const left = wordsToApprove(request({ scope: now }), client(), approved);
        expect(left).toEqual(now.filter((word) => !before.includes(word)));
        expect(wordsToApprove(request({ scope: before }), client(), approved)).toEqual([]);
      }),
    );
  });
});

describe('consent is asked each time (RFC 8252 §8.6, decisions 23)', () => {
  const local = ['http://127.0.0.1/cb'];
  test.each([
    ['a public client on a loopback port', 'none', 'http://127.0.0.1:5000/cb', true],
    ['a public client with a scheme of its own', 'none', 'com.example.app:/cb', true],
    ['a public client on https', 'none', 'https://shop.example/cb', false],
    ['a confidential client on a loopback port', 'client_secret_basic', 'http://127.0.0.1:5000/cb', false],
    ['a confidential client on https', 'client_secret_basic', 'https://shop.example/cb', false],
  ])('of %s: %s to %s: %s', (_, token_endpoint_auth_method, uri, each) => {
    for (const first_party of [true, false]) {
      const asking = client({
        application_type: 'native',
        redirect_uris: [...local, redirect_uri],
        token_endpoint_auth_method,
        first_party,
      });
      expect(consentEachTime(asking, uri)).toBe(each);
    }
  });
});
