import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { parseChanged } from '../support/client_metadata.js';
import { descriptionOf, refusalOf } from '../support/refusal.js';

const jwk = { kty: 'RSA', n: 'AQAB', e: 'AQAB' };
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' }) as {
  kty: string;
  n: string;
  e: string;
};
const encrypted = { id_token_encrypted_response_alg: 'RSA-OAEP-256', jwks: { keys: [rsa] } };

describe('client metadata (RFC 7591 §2)', () => {
  test.each([
    ['a secret of its own', { client_secret: 'x' }, 'client_secret: secrets are generated here'],
    ['no name', { client_name: undefined }, 'client_name:'],
    ['an empty name', { client_name: '  ' }, 'client_name:'],
    ['a line feed in its name', { client_name: 'Shop\nEvil' }, 'client_name: holds a control character'],
    ['a member that is unknown', { client_nmae: 'x' }, 'client_nmae'],
    ['no redirect URI', { redirect_uris: [] }, 'redirect_uris: the authorization_code grant needs'],
    ['a bad redirect URI', { redirect_uris: ['https://*.example'] }, 'redirect URI https://*.example'],
    ['a bad logout URI', { post_logout_redirect_uris: ['javascript:x'] }, 'redirect URI javascript:x'],
    ['http on this machine', { redirect_uris: ['http://127.0.0.1/cb'] }, 'is http: https is required'],
    ['a scheme of its own', { redirect_uris: ['com.example:/cb'] }, 'has a scheme of its own'],
    ['an unknown grant', { grant_types: ['password'] }, 'grant_types.0'],
    [
      'the implicit grant alone',
      { grant_types: ['authorization_code', 'implicit'] },
      'implicit grant go together',
    ],
    ['a grant that there is not', { grant_types: ['authorization_code', 'password'] }, 'grant_types.1'],
    ['no grant', { grant_types: [] }, 'grant_types:'],
    ['refresh tokens without codes', { grant_types: ['refresh_token'] }, 'refresh_token needs'],
    [
      'the same of a first-party client without origins',
      { grant_types: ['refresh_token'], first_party: true, token_endpoint_auth_method: 'none' },
      'refresh_token needs',
    ],
    ['a response type that is not there', { response_types: ['token'] }, 'response_types.0'],
    ['the code grant without its response type', { response_types: [] }, 'response_types: code and'],
    [
      'the code response type without its grant',
      { grant_types: ['client_credentials'], response_types: ['code'] },
      'response_types: code and',
    ],
    [
      'client_credentials for a public client (RFC 6749 §4.4)',
      { grant_types: ['authorization_code', 'client_credentials'], token_endpoint_auth_method: 'none' },
      'for confidential clients alone',
    ],
    [
      'a public client without PKCE (RFC 9700 §2.1.1)',
      { token_endpoint_auth_method: 'none', require_pkce: false },
      'require_pkce:',
    ],
    ['a method that is unknown', { token_endpoint_auth_method: 'tls' }, 'token_endpoint_auth_method:'],
    [
      'private_key_jwt without keys',
      { token_endpoint_auth_method: 'private_key_jwt' },
      'needs the public keys',
    ],
    [
      'private_key_jwt with a key that is for encryption',
      { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [{ ...jwk, use: 'enc' }] } },
      'jwks: holds no key to verify what private_key_jwt is signed with',
    ],
    [
      'private_key_jwt with a key of another kind than its algorithm wants',
      {
        token_endpoint_auth_method: 'private_key_jwt',
        token_endpoint_auth_signing_alg: 'ES256',
        jwks: { keys: [jwk] },
      },
      'jwks: holds no key to verify what private_key_jwt is signed with',
    ],
    [
      'private_key_jwt with a key of an unknown kind',
      { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [{ kty: 'XYZ' }] } },
      'jwks: holds no key to verify what private_key_jwt is signed with',
    ],
    ...['\u200b', '\u200d\ufeff', '\u00ad'].map((client_name): [string, object, string] => [
      `a name that cannot be seen: ${JSON.stringify(client_name)} (hardening 17)`,
      { client_name },
      'client_name: holds nothing that can be seen',
    ]),
    ...['\u202egnp.exe', 'Bank\u2066', 'a\u202bb'].map((client_name): [string, object, string] => [
      `a name that turns the direction of writing: ${JSON.stringify(client_name)} (hardening 17)`,
      { client_name },
      'client_name: holds a character that turns the direction of writing',
    ]),
    [
      'jwks and jwks_uri',
      { jwks: { keys: [jwk] }, jwks_uri: 'https://shop.example/jwks' },
      'either jwks or jwks_uri',
    ],
    ['a private key', { jwks: { keys: [{ ...jwk, d: 'x' }] } }, 'private or symmetric key'],
    ['a symmetric key', { jwks: { keys: [{ kty: 'oct', k: 'x' }] } }, 'private or symmetric key'],
    [
      'HMAC assertions for a client with a key',
      {
        token_endpoint_auth_method: 'private_key_jwt',
        jwks: { keys: [jwk] },
        token_endpoint_auth_signing_alg: 'HS256',
      },
      'token_endpoint_auth_signing_alg: private_key_jwt is signed with a key',
    ],
    [
      'signatures for a client with a secret',
      { token_endpoint_auth_method: 'client_secret_jwt', token_endpoint_auth_signing_alg: 'RS256' },
      'token_endpoint_auth_signing_alg: client_secret_jwt is signed with one of HS256',
    ],
    ['unsigned assertions', { token_endpoint_auth_signing_alg: 'none' }, 'token_endpoint_auth_signing_alg:'],
    [
      'unsigned ID tokens (IDT-03)',
      { id_token_signed_response_alg: 'none' },
      'id_token_signed_response_alg:',
    ],
    ['ID tokens under a secret', { id_token_signed_response_alg: 'HS256' }, 'id_token_signed_response_alg:'],
    ['unsigned userinfo', { userinfo_signed_response_alg: 'none' }, 'userinfo_signed_response_alg:'],
    [
      'an alg that there is not',
      { introspection_signed_response_alg: 'ES256K' },
      'introspection_signed_response_alg:',
    ],
    ['RSA1_5 (REG-15)', { id_token_encrypted_response_alg: 'RSA1_5' }, 'id_token_encrypted_response_alg:'],
    [
      'a symmetric encryption',
      { userinfo_encrypted_response_alg: 'dir' },
      'userinfo_encrypted_response_alg:',
    ],
    [
      'an enc that there is not',
      { ...encrypted, id_token_encrypted_response_enc: 'A192GCM' },
      'id_token_encrypted_response_enc:',
    ],
    [
      'an enc without its alg',
      { userinfo_encrypted_response_enc: 'A128GCM' },
      'userinfo_encrypted_response_enc: needs userinfo_encrypted_response_alg',
    ],
    [
      'encryption without a key (REG-10)',
      { ...encrypted, jwks: undefined },
      'id_token_encrypted_response_alg: needs a public key',
    ],
    [
      'encryption with a key for signatures',
      { ...encrypted, jwks: { keys: [{ ...rsa, use: 'sig' }] } },
      'no key of jwks',
    ],
    [
      'encryption with a key for another algorithm',
      { ...encrypted, jwks: { keys: [{ ...rsa, alg: 'RS256' }] } },
      'no key of jwks',
    ],
    [
      'encryption with a key of another kind',
      { ...encrypted, id_token_encrypted_response_alg: 'ECDH-ES' },
      'no key of jwks',
    ],
    [
      'encryption with a short key',
      { ...encrypted, jwks: { keys: [{ ...rsa, n: rsa.n.slice(0, 171) }] } },
      'no key of jwks',
    ],
    [
      'encryption with a point that is on no curve',
      {
        id_token_encrypted_response_alg: 'ECDH-ES',
        jwks: { keys: [{ kty: 'EC', crv: 'P-256', x: 'AAAA', y: 'AAAA' }] },
      },
      'no key of jwks',
    ],
    ['a subject type that there is not', { subject_type: 'anonymous' }, 'subject_type:'],
    [
      'pairwise subjects for several hosts without their sector (REG-11)',
      { subject_type: 'pairwise', redirect_uris: ['https://a.example/cb', 'https://b.example/cb'] },
      'sector_identifier_uri: subject_type pairwise needs it',
    ],
    [
      'pairwise subjects for a program without a host',
      { subject_type: 'pairwise', application_type: 'native', redirect_uris: ['com.example.app:/cb'] },
      'sector_identifier_uri: subject_type pairwise needs it',
    ],
    [
      'a sector over http',
      { sector_identifier_uri: 'http://shop.example/uris' },
      'sector_identifier_uri: must be',
    ],
    ['a script for a logo', { logo_uri: 'javascript:alert(1)' }, 'logo_uri: must be an https URL'],
    ['a script for a policy, in mixed case', { policy_uri: 'JavaScript:x' }, 'policy_uri: must be'],
    ['a policy over http', { policy_uri: 'http://shop.example/policy' }, 'policy_uri: must be'],
    ['terms with a password', { tos_uri: 'https://a:b@shop.example/' }, 'tos_uri: must be'],
    ['a home that is a path', { client_uri: '/home' }, 'client_uri: must be'],
    ['keys over http', { jwks_uri: 'http://shop.example/jwks' }, 'jwks_uri: must be'],
    [
      'a back-channel URI over http',
      { backchannel_logout_uri: 'http://shop.example/out' },
      'backchannel_logout_uri: must be an https URL',
    ],
    [
      'a back-channel URI with a fragment (Back-Channel Logout §2.2)',
      { backchannel_logout_uri: 'https://shop.example/out#x' },
      'backchannel_logout_uri: must be an https URL without a fragment',
    ],
    [
      'a front-channel URI that runs',
      { frontchannel_logout_uri: 'javascript:alert(1)' },
      'frontchannel_logout_uri: must be an https URL',
    ],
    [
      'a front-channel URI of another host than its redirect URIs (Front-Channel Logout §2)',
      { frontchannel_logout_uri: 'https://other.example/out' },
      'frontchannel_logout_uri: must have the scheme, host and port of a redirect URI',
    ],
    [
      'a front-channel URI of another port',
      { frontchannel_logout_uri: 'https://shop.example:8443/out' },
      'frontchannel_logout_uri: must have the scheme, host and port',
    ],
    [
      'a front-channel URI whose host means something in a content security policy',
      {
        redirect_uris: ['https://a;script-src.example/cb'],
        frontchannel_logout_uri: 'https://a;script-src.example/out',
      },
      'frontchannel_logout_uri: its host has an unusual character',
    ],
    [
      'a session that is required by a text',
      { backchannel_logout_session_required: 'yes' },
      'session_required',
    ],
    ['an origin with a path', { allowed_origins: ['https://shop.example/'] }, 'allowed_origins:'],
    ['an origin that is null', { allowed_origins: ['null'] }, 'allowed_origins: null'],
    ['any origin', { allowed_origins: ['*'] }, 'allowed_origins: *'],
    ['an origin in capitals', { allowed_origins: ['https://SHOP.example'] }, 'allowed_origins:'],
    ['a resource with a fragment', { default_resource: 'https://api.example/#x' }, 'default_resource:'],
    ['a resource that is relative', { default_resource: '/api' }, 'default_resource:'],
    [
      'signed requests without keys (REG-10)',
      { require_signed_request_object: true },
      'jwks: signed request',
    ],
    [
      'an algorithm of requests without keys (REG-10)',
      { request_object_signing_alg: 'ES256' },
      'jwks: signed',
    ],
    ['unsigned requests (REG-15)', { request_object_signing_alg: 'none' }, 'request_object_signing_alg:'],
    ['RSA1_5 (REG-15)', { request_object_encryption_alg: 'RSA1_5' }, 'request_object_encryption_alg:'],
    ['enc without alg', { request_object_encryption_enc: 'A128GCM' }, 'request_object_encryption_enc: needs'],
    ['a request_uri on http (REG-14)', { request_uris: ['http://shop.example/r'] }, 'request_uris:'],
    [
      'a request_uri over 512 characters (REG-14)',
      { request_uris: [`https://x.example/${'x'.repeat(500)}`] },
      'request_uris.0:',
    ],
    ['a scope with a quote', { scope: 'open"id' }, 'scope has a word'],
    ['more than a minute of grace', { refresh_grace_seconds: 61 }, 'refresh_grace_seconds:'],
    ['a negative age', { default_max_age: -1 }, 'default_max_age:'],
    ['half a second of age', { default_max_age: 0.5 }, 'default_max_age:'],
    ['a truth that is a text', { first_party: 'true' }, 'first_party:'],
  ])('is refused with %s (REG-08, REG-09, REG-10, REG-13)', (_, changes, reason) => {
    expect(refusalOf(() => parseChanged(changes))).toBe('invalid_request');
    expect(descriptionOf(() => parseChanged(changes))).toContain(reason);
  });
});
