import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  parseClaimsRequest,
  requestedClaims,
  requiredAcrs,
  requiredSubs,
} from '../../src/oauth/claims_request.js';
import { anyText } from '../support/arbitraries.js';
import { refusalOf } from '../support/refusal.js';

const supported = new Set(['sub', 'acr', 'auth_time', 'email', 'name']);
const parse = (claims: unknown) =>
  parseClaimsRequest(typeof claims === 'string' ? claims : JSON.stringify(claims), supported);

describe('the claims parameter (OpenID Connect Core §5.5)', () => {
  test('its own example is understood', () => {
    const example = {
      userinfo: {
        given_name: { essential: true },
        nickname: null,
        email: { essential: true },
        'http://example.info/claims/groups': null,
      },
      id_token: { auth_time: { essential: true }, acr: { values: ['urn:mace:incommon:iap:silver'] } },
    };
    expect(parse(example)).toEqual({
      userinfo: { email: { essential: true } },
      id_token: { auth_time: { essential: true }, acr: { values: ['urn:mace:incommon:iap:silver'] } },
    });
  });

  test.each([
    ['nothing', '{}', { userinfo: {}, id_token: {} }],
    ['null for a claim', '{"id_token":{"email":null}}', { userinfo: {}, id_token: { email: {} } }],
    ['an empty object for a claim', '{"userinfo":{"name":{}}}', { userinfo: { name: {} }, id_token: {} }],
    [
      'essential: false',
      '{"userinfo":{"name":{"essential":false}}}',
      { userinfo: { name: {} }, id_token: {} },
    ],
    ['an unknown claim', '{"id_token":{"shoe_size":{"essential":true}}}', { userinfo: {}, id_token: {} }],
    ['an unknown claim that is malformed', '{"id_token":{"shoe_size":42}}', { userinfo: {}, id_token: {} }],
    ['an unknown member', '{"verified_claims":1,"id_token":{}}', { userinfo: {}, id_token: {} }],
    [
      'an unknown member of a claim',
      '{"id_token":{"name":{"purpose":"x"}}}',
      { userinfo: {}, id_token: { name: {} } },
    ],
    ['names of Object', '{"id_token":{"__proto__":{},"constructor":null}}', { userinfo: {}, id_token: {} }],
    [
      'value and values together',
      '{"id_token":{"sub":{"value":"a","values":["b"]}}}',
      { userinfo: {}, id_token: { sub: { values: ['a', 'b'] } } },
    ],
  ])('%s: unknown things are ignored (AUT-17)', (_, claims, parsed) => {
    expect(parse(claims)).toEqual(parsed);
  });

  test('absent, it asks for nothing', () => {
    expect(requestedClaims(parseClaimsRequest(undefined, supported))).toEqual([]);
  });

  test.each([
    ['no JSON', 'email'],
    ['JSON that is cut off', '{"id_token":{'],
    ['a text', '"email"'],
    ['a number', '1'],
    ['null', 'null'],
    ['a list', '["email"]'],
    ['a list for a member', '{"id_token":["email"]}'],
    ['null for a member', '{"id_token":null}'],
    ['a text for a claim', '{"id_token":{"email":"yes"}}'],
    ['true for a claim', '{"id_token":{"email":true}}'],
    ['a list for a claim', '{"userinfo":{"email":[]}}'],
    ['a text for essential', '{"userinfo":{"email":{"essential":"true"}}}'],
    ['a text for values', '{"id_token":{"acr":{"values":"1"}}}'],
    ['21 values', JSON.stringify({ id_token: { acr: { values: Array(21).fill('x') } } })],
    ['JSON with something behind', '{} {}'],
  ])('%s is refused with invalid_request (protocol.md AUT-17)', (_, claims) => {
    expect(refusalOf(() => parse(claims))).toBe('invalid_request');
  });

  test('names of both places are gathered, each once', () => {
    const asked = parse({ userinfo: { email: null, name: null }, id_token: { email: null, sub: null } });
    expect(requestedClaims(asked)).toEqual(['email', 'name', 'sub']);
  });
});

describe('the user that a request is for (OpenID Connect Core §5.5.1)', () => {
  test.each([
    ['nobody is named', { id_token: { sub: null } }, null],
    ['sub is only wanted', { id_token: { sub: { essential: true } } }, null],
    ['a value', { id_token: { sub: { value: 'a' } } }, ['a']],
    ['values', { id_token: { sub: { values: ['a', 'b'] } } }, ['a', 'b']],
    ['a value for userinfo', { userinfo: { sub: { value: 'a' } } }, ['a']],
    ['both places agree', { id_token: { sub: { value: 'a' } }, userinfo: { sub: { value: 'a' } } }, ['a']],
    ['both places differ', { id_token: { sub: { value: 'a' } }, userinfo: { sub: { value: 'b' } } }, []],
    ['both overlap', { id_token: { sub: { values: ['a', 'b'] } }, userinfo: { sub: { value: 'b' } } }, ['b']],
    ['a value that no user can have', { id_token: { sub: { value: 5 } } }, []],
    ['a value that is null', { id_token: { sub: { value: null } } }, []],
    ['values without a text', { id_token: { sub: { values: [1, {}] } } }, []],
    ['no value of them', { id_token: { sub: { values: [] } } }, []],
  ])('%s', (_, claims, subs) => {
    expect(requiredSubs(parse(claims))).toEqual(subs);
  });
});

describe('the acr that a request cannot do without (OpenID Connect Core §5.5.1.1)', () => {
  test.each([
    ['not asked for', {}, null],
    ['voluntary with values', { id_token: { acr: { values: ['x'] } } }, null],
    ['essential without values', { id_token: { acr: { essential: true } } }, null],
    ['essential with a value', { id_token: { acr: { essential: true, value: 'x' } } }, ['x']],
    ['essential with values', { id_token: { acr: { essential: true, values: ['x', 'y'] } } }, ['x', 'y']],
    ['essential with a value that is a number', { id_token: { acr: { essential: true, value: 2 } } }, []],
    ['essential for userinfo, which has none', { userinfo: { acr: { essential: true, value: 'x' } } }, null],
  ])('%s', (_, claims, acrs) => {
    expect(requiredAcrs(parse(claims))).toEqual(acrs);
  });
});

describe('properties of the claims parameter', () => {
  const claim = fc.oneof(
    fc.constant(null),
    fc.record(
      {
        essential: fc.boolean(),
        value: fc.oneof(anyText(5), fc.jsonValue()),
        values: fc.array(fc.oneof(anyText(5), fc.integer()), { maxLength: 3 }),
      },
      { requiredKeys: [] },
    ),
    fc.jsonValue(),
  );
  const member = fc.dictionary(fc.oneof(fc.constantFrom(...supported), anyText(5)), claim);
  const claims = fc.oneof(
    fc.record({ userinfo: member, id_token: member, other: fc.jsonValue() }, { requiredKeys: [] }),
    fc.jsonValue(),
  );

  test('any JSON, and any text, is parsed or refused with invalid_request', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          claims.map((value) => JSON.stringify(value)),
          anyText(),
        ),
        (text) => {
          expect([null, 'invalid_request']).toContain(refusalOf(() => parse(text)));
        },
      ),
      { numRuns: 500 },
    );
  });

  test('nothing comes out that is not supported, and a sub that is named is never forgotten', () => {
    fc.assert(
      fc.property(claims, (given) => {
        const text = JSON.stringify(given);
        if (refusalOf(() => parse(text)) !== null) return;
        const parsed = parse(text);
        for (const name of requestedClaims(parsed)) expect(supported).toContain(name);
        for (const asked of [parsed.id_token, parsed.userinfo]) {
          if (asked.sub?.values === undefined) continue;
          for (const sub of requiredSubs(parsed) ?? ['anybody']) expect(asked.sub.values).toContain(sub);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('nesting as deep as the parameter is long is no harm', () => {
    const deep = `{"id_token":{"name":{"value":${'['.repeat(8000)}${']'.repeat(8000)}}}}`;
    expect(parse(deep).id_token).toEqual({ name: { values: [] } });
  });
});
