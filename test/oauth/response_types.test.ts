import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseClientMetadata } from '../../src/oauth/client_metadata.js';
import {
  carrierOf,
  chooseResponseMode,
  modeForRefusal,
  responseModesSupported,
} from '../../src/oauth/response_mode.js';
import {
  canonicalResponseType,
  isFrontChannel,
  responseTypeNames,
  responseTypes,
} from '../../src/oauth/response_types.js';
import { descriptionOf, refusalOf } from '../support/refusal.js';

describe('a response type', () => {
  test('is the same whatever the order of its words (AUT-06)', () => {
    const shuffled = fc
      .constantFrom(...responseTypeNames)
      .chain((name) =>
        fc
          .shuffledSubarray(name.split(' '), { minLength: name.split(' ').length })
          .map((words) => [name, words.join(' ')] as const),
      );
    fc.assert(fc.property(shuffled, ([name, text]) => canonicalResponseType(text) === name));
  });

  test.each([
    '',
    ' ',
    'token',
    'code code',
    'code  id_token',
    'none code',
    'CODE',
    'code,id_token',
    'constructor',
  ])('is unknown where it is %j', (text) => {
    expect(canonicalResponseType(text)).toBeUndefined();
  });

  test('goes through the browser if it has a token', () => {
    for (const name of responseTypeNames)
      expect([name, isFrontChannel(name)]).toEqual([
        name,
        responseTypes[name].id_token || responseTypes[name].token,
      ]);
    expect(['token', 'token x', 'xtoken', 'id_tokens'].map(isFrontChannel)).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
});

describe('a response mode', () => {
  test.each([
    ['code', undefined, 'query'],
    ['none', undefined, 'query'],
    ['id_token', undefined, 'fragment'],
    ['id_token token', undefined, 'fragment'],
    ['code id_token', undefined, 'fragment'],
    ['code token', undefined, 'fragment'],
    ['code id_token token', undefined, 'fragment'],
    ['code', 'fragment', 'fragment'],
    ['code', 'form_post', 'form_post'],
    ['id_token', 'form_post', 'form_post'],
    ['code', 'jwt', 'query.jwt'],
    ['none', 'jwt', 'query.jwt'],
    ['code id_token', 'jwt', 'fragment.jwt'],
    ['code', 'form_post.jwt', 'form_post.jwt'],
    ['code', 'fragment.jwt', 'fragment.jwt'],
  ])('of %s is, asked for %s, %s (AUT-12, JRM-01)', (response_type, asked, mode) => {
    expect(chooseResponseMode(asked, response_type, false)).toBe(mode);
  });

  test.each([
    ['id_token', 'query', 'fragment'],
    ['code token', 'query', 'fragment'],
    ['token', 'query', 'fragment'],
    ['code id_token', 'query.jwt', 'fragment.jwt'],
    ['code', 'web_message', 'query'],
    ['code', 'jwt.query', 'query'],
    ['code id_token', 'x', 'fragment'],
  ])('of %s cannot be %s; that is told by %s (AUT-12, JRM-03)', (response_type, asked, told) => {
    expect(refusalOf(() => chooseResponseMode(asked, response_type, false))).toBe('invalid_request');
    expect(modeForRefusal(asked, response_type)).toBe(told);
  });

  test('query.jwt carries tokens where nobody but the client can read it (JRM-03)', () => {
    expect(chooseResponseMode('query.jwt', 'code id_token', true)).toBe('query.jwt');
    expect(refusalOf(() => chooseResponseMode('query', 'code id_token', true))).toBe('invalid_request');
  });

  test('never puts tokens into a query, whatever is asked for (AUT-12)', () => {
    const texts = fc.oneof(fc.constantFrom(...responseTypeNames, 'token', 'x id_token'), fc.string());
    const asked = fc.option(fc.oneof(fc.constantFrom(...responseModesSupported), fc.string()), {
      nil: undefined,
    });
    fc.assert(
      fc.property(texts, asked, (response_type, wanted) => {
        const mode =
          refusalOf(() => chooseResponseMode(wanted, response_type, false)) === null
            ? chooseResponseMode(wanted, response_type, false)
            : modeForRefusal(wanted, response_type);
        if (isFrontChannel(response_type)) expect(carrierOf(mode)).not.toBe('query');
      }),
    );
  });
});

describe('registration', () => {
  const all = { allow_loopback_http: false, response_types: responseTypeNames };
  const parse = (metadata: object, options: Parameters<typeof parseClientMetadata>[1] = all) =>
    parseClientMetadata(
      { client_name: 'Shop', redirect_uris: ['https://shop.example/cb'], ...metadata },
      options,
    );
  const implicit = ['implicit'];
  const hybrid = ['authorization_code', 'implicit'];

  test.each([
    [['code'], ['authorization_code']],
    [['none', 'code'], ['authorization_code']],
    [['id_token'], implicit],
    [['id_token token'], implicit],
    [['code id_token'], hybrid],
    [['code token'], hybrid],
    [['code id_token token', 'code'], hybrid],
  ])('takes response_types %j with grant_types %j (REG-09)', (response_types, grant_types) => {
    expect(parse({ response_types, grant_types }).response_types).toEqual(response_types);
  });

  test('keeps response types in their canonical form, each once', () => {
    const { response_types } = parse({
      response_types: ['id_token code', 'code id_token'],
      grant_types: hybrid,
    });
    expect(response_types).toEqual(['code id_token']);
  });

  test.each<[object, string]>([
    [{ response_types: ['code'], grant_types: implicit }, 'response_types: code and the authorization_code'],
    [
      { response_types: ['id_token'], grant_types: hybrid },
      'response_types: code and the authorization_code',
    ],
    [{ response_types: ['code id_token'], grant_types: ['authorization_code'] }, 'and the implicit grant'],
    [{ response_types: ['code'], grant_types: hybrid }, 'and the implicit grant go together'],
    [{ grant_types: hybrid }, 'and the implicit grant go together'],
    [{ response_types: ['token'], grant_types: implicit }, 'response_types.0:'],
    [
      { response_types: ['id_token'], grant_types: implicit, redirect_uris: [] },
      'redirect_uris: an authorization',
    ],
    [
      { response_types: ['id_token'], grant_types: implicit, redirect_uris: ['https://localhost/cb'] },
      'redirect_uris: https://localhost/cb is on this machine',
    ],
    [
      { response_types: ['code id_token'], grant_types: hybrid, security_profile: 'oauth_2_1' },
      'response_types: oauth_2_1 allows code',
    ],
  ])('refuses %j (REG-08, REG-09, O21-01)', (metadata, reason) => {
    expect(descriptionOf(() => parse(metadata))).toContain(reason);
  });

  test('takes what is switched on alone', () => {
    const wanted = { response_types: ['id_token'], grant_types: implicit };
    const why = descriptionOf(() => parse(wanted, { allow_loopback_http: false }));
    expect(why).toBe('response_types: id_token is off here; SALLYPORT_RESPONSE_TYPES can switch it on');
  });
});
