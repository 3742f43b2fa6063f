import { describe, expect, test } from 'vitest';
import { fromStored, parseClientMetadata } from '../../src/oauth/client_metadata.js';
import { isToldLogout } from '../../src/oauth/client_rules.js';
import { goodMetadata, parseChanged } from '../support/client_metadata.js';
import { descriptionOf, refusalOf } from '../support/refusal.js';

const options = { allow_loopback_http: false };
const jwk = { kty: 'RSA', n: 'AQAB', e: 'AQAB' };

describe('client metadata (RFC 7591 §2)', () => {
  test('that an earlier release stored has the defaults of the members it did not know', () => {
    const stored = { client_name: 'Shop', redirect_uris: ['https://shop.example/cb'], require_pkce: false };
    expect(fromStored(stored)).toEqual({ ...parseChanged({}), require_pkce: false });
  });

  test('a name and a redirect URI are enough; the rest has defaults (REG-02)', () => {
    expect(parseChanged({})).toEqual({
      client_name: 'Shop',
      redirect_uris: ['https://shop.example/cb'],
      post_logout_redirect_uris: [],
      backchannel_logout_session_required: false,
      frontchannel_logout_session_required: false,
      allowed_origins: [],
      application_type: 'web',
      grant_types: ['authorization_code'],
      token_endpoint_auth_method: 'client_secret_basic',
      id_token_signed_response_alg: 'RS256',
      subject_type: 'public',
      scope: 'openid profile email address phone offline_access',
      require_auth_time: false,
      first_party: false,
      id_token_claims: 'scope',
      require_pkce: true,
      authorization_signed_response_alg: 'RS256',
      require_pushed_authorization_requests: false,
      require_signed_request_object: false,
      request_uris: [],
      security_profile: 'default',
      refresh_grace_seconds: 10,
    });
  });

  test('a client of the sign-in API refreshes without codes and redirect URIs (decisions 29)', () => {
    const api = {
      ...{ first_party: true, token_endpoint_auth_method: 'none', grant_types: ['refresh_token'] },
      ...{ redirect_uris: [], allowed_origins: ['https://www.example.com'] },
    };
    expect(parseChanged(api)).toMatchObject(api);
  });

  test('what is given twice is kept once (decisions 25)', () => {
    const twice = {
      redirect_uris: ['https://shop.example/cb', 'https://shop.example/b', 'https://shop.example/cb'],
      post_logout_redirect_uris: ['https://shop.example/', 'https://shop.example/'],
      allowed_origins: ['https://shop.example', 'https://shop.example'],
      scope: 'openid  email openid',
    };
    expect(parseChanged(twice)).toMatchObject({
      redirect_uris: ['https://shop.example/cb', 'https://shop.example/b'],
      post_logout_redirect_uris: ['https://shop.example/'],
      allowed_origins: ['https://shop.example'],
      scope: 'openid email',
    });
  });

  test('says all that follows from an algorithm to encrypt with (REG-02; RFC 7591 §3.2.1)', () => {
    const jwks_uri = 'https://shop.example/jwks';
    const names = ['id_token', 'userinfo', 'introspection', 'authorization'];
    const asked = Object.fromEntries(names.map((name) => [`${name}_encrypted_response_alg`, 'RSA-OAEP-256']));
    const parsed = parseChanged({ ...asked, jwks_uri, request_object_encryption_alg: 'RSA-OAEP-256' });
    for (const name of names)
      expect(parsed).toMatchObject({
        [`${name}_signed_response_alg`]: 'RS256',
        [`${name}_encrypted_response_enc`]: 'A128CBC-HS256',
      });
    expect(parsed.request_object_encryption_enc).toBe('A128CBC-HS256');
    expect(parseChanged({}).userinfo_signed_response_alg).toBeUndefined();
  });

  test('may be told of sign-outs by both channels, at URIs with a query and a port of their own (REG-16)', () => {
    const told = {
      redirect_uris: ['https://shop.example:8443/cb', 'com.example.app:/cb'],
      application_type: 'native',
      backchannel_logout_uri: 'https://logout.example:9443/back?app=shop',
      backchannel_logout_session_required: true,
      frontchannel_logout_uri: 'https://shop.example:8443/front?app=shop',
      frontchannel_logout_session_required: true,
    };
    expect(parseChanged(told)).toMatchObject(told);
    expect([isToldLogout(parseChanged(told)), isToldLogout(parseChanged({}))]).toEqual([true, false]);
    const local = { ...told, backchannel_logout_uri: 'http://127.0.0.1:4001/back' };
    expect([refusalOf(() => parseChanged(local)), refusalOf(() => parseChanged(local, true))]).toEqual([
      'invalid_request',
      null,
    ]);
  });

  test.each([null, undefined, 'text', 1, [], [goodMetadata]])('is refused when it is %j', (metadata) => {
    expect(refusalOf(() => parseClientMetadata(metadata, options))).toBe('invalid_request');
  });

  test('all members of a wrong type are told at once', () => {
    const told = descriptionOf(() =>
      parseChanged({ client_name: 1, grant_types: ['x'], first_party: 'yes', extra: 1 }),
    );
    for (const member of ['client_name:', 'grant_types.0:', 'first_party:', 'extra'])
      expect(told).toContain(member);
  });

  test('all members that do not go together are told at once, each once', () => {
    const told = descriptionOf(() =>
      parseChanged({
        redirect_uris: ['http://shop.example/cb', 'http://shop.example/cb', 'javascript:x'],
        post_logout_redirect_uris: ['https://shop.example/#x'],
        logo_uri: 'data:image/png,x',
        allowed_origins: ['shop.example'],
        default_resource: 'api',
        token_endpoint_auth_method: 'none',
        require_pkce: false,
        grant_types: ['authorization_code', 'client_credentials'],
        jwks: { keys: [{ ...jwk, d: 'x' }] },
        scope: 'open\\id',
      }),
    );
    const reasons = [
      'http://shop.example/cb: is http',
      'javascript:x: has a scheme',
      'https://shop.example/#x: has a fragment',
      'logo_uri:',
      'allowed_origins:',
      'default_resource:',
      'client_credentials is for',
      'require_pkce:',
      'jwks:',
      'scope has a word',
    ];
    for (const reason of reasons) expect(told.split(reason)).toHaveLength(2);
  });

  test('http on this machine is for native clients and loopback issuers (decisions 21)', () => {
    const local = { redirect_uris: ['http://127.0.0.1/cb'] };
    expect(refusalOf(() => parseChanged({ ...local, application_type: 'native' }))).toBeNull();
    expect(refusalOf(() => parseChanged(local, true))).toBeNull();
    const pages = { logo_uri: 'http://127.0.0.1:4001/logo.png', policy_uri: 'http://localhost/policy' };
    expect(refusalOf(() => parseChanged(pages, true))).toBeNull();
    expect(refusalOf(() => parseChanged(pages))).toBe('invalid_request');
  });

  test('a client of machines needs no redirect URI', () => {
    const machine = { client_name: 'Job', grant_types: ['client_credentials'], response_types: [] };
    expect(parseClientMetadata(machine, options).redirect_uris).toEqual([]);
  });
});
