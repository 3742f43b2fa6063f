import { describe, expect, test } from 'vitest';
import { type JsonAnswer, startIdp, type TestIdp } from '../support/idp.js';
import { rawRequest } from '../support/raw_http.js';

const signing = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];

describe('discovery', () => {
  test('is JSON that anybody may keep for an hour (DSC-01)', async () => {
    const idp = await startIdp();
    const { status, headers } = await rawRequest(idp.url, { path: '/.well-known/openid-configuration' });
    expect([status, headers['content-type'], headers['cache-control']]).toEqual([
      200,
      'application/json; charset=utf-8',
      'public, max-age=3600',
    ]);
  });

  test.each(['http://localhost:4000', 'https://id.example', 'https://id.example:8443/a/b'])(
    'names the issuer %s to the letter, and endpoints under it (DSC-01, DSC-02)',
    async (ISSUER) => {
      const metadata = await read(await startIdp({ settings: { ISSUER } }));
      expect(metadata.issuer).toBe(ISSUER);
      for (const [name, value] of Object.entries(metadata)) {
        if (name.endsWith('_endpoint') || name === 'jwks_uri') expect(value).toMatch(`${ISSUER}/`);
      }
    },
  );

  test('has every required member, and says what would else be guessed (DSC-04, DSC-10, DSC-11, DSC-13)', async () => {
    const idp = await startIdp();
    expect(await read(idp)).toMatchObject({
      authorization_endpoint: `${idp.issuer}/authorize`,
      token_endpoint: `${idp.issuer}/token`,
      userinfo_endpoint: `${idp.issuer}/userinfo`,
      jwks_uri: `${idp.issuer}/jwks`,
      end_session_endpoint: `${idp.issuer}/logout`,
      response_types_supported: ['code'],
      subject_types_supported: ['public', 'pairwise'],
      code_challenge_methods_supported: ['S256'],
      claims_parameter_supported: true,
      request_parameter_supported: true,
      request_uri_parameter_supported: false,
      require_request_uri_registration: false,
      authorization_response_iss_parameter_supported: true,
    });
  });

  const [one, two, phr] = ['urn:sallyport:acr:one-factor', 'urn:sallyport:acr:two-factor', 'phr'];
  test.each([
    ['https://id.example', 'optional', [one, two, phr]],
    ['https://id.example', 'off', [one, two, phr]], // by a passkey alone
    ['http://127.0.0.1:4000', 'optional', [one, two]],
    ['http://127.0.0.1:4000', 'off', [one]],
  ])('of %s with second factors %s says how strong a sign-in can be', async (ISSUER, SECOND_FACTOR, acrs) => {
    const metadata = await read(await startIdp({ settings: { ISSUER, SECOND_FACTOR } }));
    expect(metadata.acr_values_supported).toEqual(acrs);
  });

  test('has lists as lists, flags as flags, addresses as addresses, nothing empty and nothing null (DSC-05)', async () => {
    const idp = await startIdp();
    await idp.addResource('https://api.example', 'read');
    const metadata = await read(idp);
    for (const [name, value] of Object.entries(metadata)) {
      if (/_supported$|_resources$|_registration$|^require_/.test(name)) {
        expect([name, typeof value === 'boolean' || Array.isArray(value)]).toEqual([name, true]);
        if (Array.isArray(value)) expect(new Set(value).size).toBe(Math.max(value.length, 1));
      } else expect(URL.canParse(String(value))).toBe(true);
    }
  });

  test('lists the ways of client authentication there are, with algorithms but never none (DSC-09, BCP-08)', async () => {
    const metadata = await read(await startIdp());
    expect([...metadata.token_endpoint_auth_methods_supported].sort()).toEqual([
      ...['client_secret_basic', 'client_secret_jwt', 'client_secret_post', 'none', 'private_key_jwt'],
    ]);
    expect(metadata.token_endpoint_auth_signing_alg_values_supported).toEqual([
      ...signing,
      ...['HS256', 'HS384', 'HS512'],
    ]);
  });

  test.each(['id_token', 'userinfo', 'introspection', 'authorization', 'request_object'])(
    'lists what %s is signed and encrypted with: RS256 among it, none and MACs never (DSC-04, DSC-07, DSC-12, DSC-15)',
    async (purpose) => {
      const metadata = await read(await startIdp());
      expect(metadata[`${purpose}_signing_alg_values_supported`]).toEqual(signing);
      expect(metadata[`${purpose}_encryption_alg_values_supported`]).toEqual([
        ...['RSA-OAEP-256', 'ECDH-ES', 'ECDH-ES+A128KW', 'ECDH-ES+A256KW'],
      ]);
      expect([...metadata[`${purpose}_encryption_enc_values_supported`]].sort()).toEqual([
        ...['A128CBC-HS256', 'A128GCM', 'A256CBC-HS512', 'A256GCM'],
      ]);
    },
  );

  test('lists the grants, the scopes and the response modes there are (DSC-15, DSC-20)', async () => {
    const metadata = await read(await startIdp());
    expect([...metadata.grant_types_supported].sort()).toEqual([
      ...['authorization_code', 'client_credentials', 'refresh_token'],
    ]);
    expect([...metadata.response_modes_supported].sort()).toEqual([
      ...['form_post', 'form_post.jwt', 'fragment', 'fragment.jwt', 'jwt', 'query', 'query.jwt'],
    ]);
    const scopes = ['openid', 'profile', 'email', 'address', 'phone', 'roles', 'offline_access'];
    expect([...metadata.scopes_supported].sort()).toEqual(scopes.sort());
    expect(metadata.claims_supported).toEqual(
      expect.arrayContaining(['sub', 'email', 'name', 'phone_number', 'address', 'updated_at']),
    );
  });

  test('names the frame for session monitoring on https alone (DSC-17, SMG-03)', async () => {
    const settings = { ISSUER: 'https://id.example/a' };
    expect(await read(await startIdp({ settings }))).toMatchObject({
      check_session_iframe: 'https://id.example/a/check-session',
    });
    expect(await read(await startIdp())).not.toHaveProperty('check_session_iframe');
  });

  test('names what else there is: logout, revocation, introspection, lists of statuses, prompts and languages (DSC-17, DSC-19)', async () => {
    const idp = await startIdp();
    expect(await read(idp)).toMatchObject({
      end_session_endpoint: `${idp.issuer}/logout`,
      backchannel_logout_supported: true,
      backchannel_logout_session_supported: true,
      frontchannel_logout_supported: true,
      frontchannel_logout_session_supported: true,
      introspection_endpoint: `${idp.issuer}/introspect`,
      revocation_endpoint: `${idp.issuer}/revoke`,
      status_list_aggregation_endpoint: `${idp.issuer}/status-lists`,
      claim_types_supported: ['normal'],
      prompt_values_supported: expect.arrayContaining(['none', 'login', 'consent', 'select_account']),
      ui_locales_supported: ['en', 'de', 'fr', 'es', 'ja', 'ar'],
    });
  });

  test('has a new resource and its scopes at once (RFC 9728 §4, DSC-19)', async () => {
    const idp = await startIdp();
    expect(await read(idp)).not.toHaveProperty('protected_resources');
    await idp.addResource('https://api.example', 'read', 'write');
    const metadata = await read(idp);
    expect(metadata.protected_resources).toEqual(['https://api.example']);
    expect(metadata.scopes_supported).toEqual(expect.arrayContaining(['read', 'write']));
  });

  test('is at both well-known places, the issuer’s path behind or before them (DSC-03)', async () => {
    const idp = await startIdp({ settings: { ISSUER: 'https://id.example/a/b' } });
    const paths = [
      '/a/b/.well-known/openid-configuration',
      '/.well-known/openid-configuration/a/b',
      '/.well-known/oauth-authorization-server/a/b',
      '/a/b/.well-known/oauth-authorization-server',
    ];
    for (const path of paths) {
      const { status, body } = await rawRequest(idp.url, { path });
      expect([path, status]).toEqual([path, 200]);
      expect(JSON.parse(body).issuer).toBe('https://id.example/a/b');
    }
  });

  test('is at no other place: it would be taken for that of another issuer (RFC 8414 §3.3)', async () => {
    const idp = await startIdp({ settings: { ISSUER: 'https://id.example/a/b' } });
    for (const name of ['openid-configuration', 'oauth-authorization-server'])
      for (const path of [`/.well-known/${name}`, `/a/b/.well-known/${name}/a/b`, `/.well-known/${name}/a`])
        expect([path, (await rawRequest(idp.url, { path })).status]).toEqual([path, 404]);
  });

  test('everything else of an issuer with a path is under that path alone', async () => {
    const idp = await startIdp({ settings: { ISSUER: 'https://id.example/a/b' } });
    for (const [path, status] of [
      ['/a/b', 200],
      ['/a/b/', 200],
      ['/', 404],
      ['/a/b/jwks', 200],
      ['/jwks', 404],
      ['/a/b/login', 200],
      ['/login', 404],
      ['/a/b/userinfo', 401],
      ['/userinfo', 404],
    ] as const)
      expect([path, (await rawRequest(idp.url, { path })).status]).toEqual([path, status]);
  });
});

async function read(idp: TestIdp): Promise<JsonAnswer['body']> {
  const path = `${idp.config.base}/.well-known/openid-configuration`;
  return JSON.parse((await rawRequest(idp.url, { path })).body);
}
