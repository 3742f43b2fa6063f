import { describe, expect, test } from 'vitest';
import * as clients from '../../src/store/clients.js';
import { newClientKey } from '../support/assertion.js';
import { cb, good, register, registered, startOpen } from '../support/registration.js';
import { eventsOf } from '../support/shop.js';

const key = await newClientKey('ES256');

describe('POST /register', () => {
  test('answers 201 with all that is registered, defaults too, that nobody keeps (REG-01, REG-02)', async () => {
    const idp = await startOpen();
    const { status, headers, body } = await register(idp, { redirect_uris: [cb] });
    expect([status, headers.get('content-type'), headers.get('cache-control')]).toEqual([
      201,
      'application/json; charset=utf-8',
      'no-store',
    ]);
    expect(body).toEqual({
      client_id: expect.stringMatching(/^[\w-]{22}$/),
      client_id_issued_at: idp.now(),
      client_secret: expect.stringMatching(/^[\w-]{43}$/),
      client_secret_expires_at: 0,
      registration_access_token: expect.stringMatching(/^[\w-]{43}$/),
      registration_client_uri: `${idp.issuer}/register/${body.client_id}`,
      client_name: 'app.example',
      redirect_uris: [cb],
      post_logout_redirect_uris: [],
      response_types: ['code'],
      grant_types: ['authorization_code'],
      application_type: 'web',
      token_endpoint_auth_method: 'client_secret_basic',
      id_token_signed_response_alg: 'RS256',
      subject_type: 'public',
      scope: 'openid profile email address phone offline_access',
      backchannel_logout_session_required: false,
      frontchannel_logout_session_required: false,
      require_auth_time: false,
      authorization_signed_response_alg: 'RS256',
      request_uris: [],
      require_signed_request_object: false,
      require_pushed_authorization_requests: false,
      require_pkce: false,
      security_profile: 'default',
    });
  });

  test.each([
    ['client_secret_post', {}, true],
    ['none', {}, false],
    ['private_key_jwt', { jwks: { keys: [key.jwk] } }, false],
  ])(
    'gives a secret to %s where it needs one (REG-03)',
    async (token_endpoint_auth_method, more, has_secret) => {
      const { body } = await register(await startOpen(), { ...good, token_endpoint_auth_method, ...more });
      expect([body.client_secret !== undefined, body.client_secret_expires_at !== undefined]).toEqual([
        has_secret,
        has_secret,
      ]);
    },
  );

  test('gives a token to manage it, and an address for that (REG-03, REG-04)', async () => {
    const { body } = await register(await startOpen({ settings: { ISSUER: 'https://id.example' } }));
    expect(body).toMatchObject({
      client_secret_expires_at: 0,
      registration_access_token: expect.any(String),
      registration_client_uri: `https://id.example/register/${body.client_id}`,
    });
  });

  test('stores digests alone, and the log has neither secret', async () => {
    const idp = await startOpen();
    const { client_id, client_secret = '?', registration_access_token } = await registered(idp);
    const seen = JSON.stringify([
      await clients.find(idp.db, client_id),
      idp.logged,
      await eventsOf(idp, 'client_registered'),
    ]);
    expect(seen).toContain(client_id);
    for (const secret of [client_secret, registration_access_token]) expect(seen).not.toContain(secret);
  });

  test('tells all members back that the standards know and that somebody may set (REG-12, REG-13, REG-16, REG-17)', async () => {
    const said = {
      ...good,
      'client_name#de': 'Anwendung',
      'client_name#ja-Jpan-JP': 'アプリ',
      'tos_uri#de': 'https://app.example/agb',
      client_uri: 'https://app.example/',
      logo_uri: 'https://app.example/logo.png',
      policy_uri: 'https://app.example/privacy',
      tos_uri: 'https://app.example/tos',
      contacts: ['ops@app.example'],
      software_id: '4NRB1-0XZABZI9E6-5SM3R',
      software_version: '2.2',
      initiate_login_uri: 'https://app.example/start',
      post_logout_redirect_uris: ['https://app.example/bye'],
      backchannel_logout_uri: 'https://app.example/back',
      backchannel_logout_session_required: true,
      frontchannel_logout_uri: 'https://app.example/front',
      frontchannel_logout_session_required: true,
      default_max_age: 3600,
      default_acr_values: ['urn:sallyport:acr:one-factor'],
      require_auth_time: true,
      authorization_signed_response_alg: 'ES256',
      request_object_signing_alg: 'ES256',
      request_uris: ['https://app.example/request.jwt'],
      require_signed_request_object: true,
      require_pushed_authorization_requests: true,
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'ES256',
      jwks: { keys: [key.jwk] },
      scope: 'openid email',
      require_pkce: true,
      security_profile: 'oauth_2_1',
    };
    const { status, body } = await register(await startOpen(), said);
    expect([status, body]).toEqual([201, expect.objectContaining(said)]);
  });

  test('ignores what it does not know, what is null, and what is the operator’s alone (REG-18, hardening 28)', async () => {
    const idp = await startOpen();
    const privileged = {
      first_party: true,
      allowed_origins: ['https://evil.example'],
      default_resource: 'https://api.example',
      id_token_claims: 'scope',
      refresh_token_rotation: false,
      refresh_grace_seconds: 60,
    };
    const unknown = {
      colour: 'red',
      'colour#de': 'rot',
      'client_name#not a tag': 'x',
      client_id: 'mine',
      client_secret: 'mine',
      constructor: { prototype: {} },
    };
    const { status, body } = await register(idp, { ...good, ...privileged, ...unknown, logo_uri: null });
    expect(status).toBe(201);
    for (const member of [
      ...Object.keys(privileged),
      'colour',
      'colour#de',
      'client_name#not a tag',
      'logo_uri',
    ])
      expect(body).not.toHaveProperty([member]);
    expect([body.client_id === 'mine', body.client_secret === 'mine']).toEqual([false, false]);
    expect(await clients.find(idp.db, body.client_id)).toMatchObject({
      first_party: false,
      allowed_origins: [],
      id_token_claims: 'minimal',
      refresh_grace_seconds: 10,
    });
  });

  test('limits the scope to what may be registered', async () => {
    const idp = await startOpen({ settings: { CLIENT_REGISTRATION_SCOPE: 'openid email jobs:run' } });
    const scopeOf = async (scope?: string) =>
      ((await registered(idp, scope === undefined ? {} : { scope })) as { scope?: string }).scope;
    expect([await scopeOf(), await scopeOf('openid profile jobs:run'), await scopeOf('')]).toEqual([
      'openid email jobs:run',
      'openid jobs:run',
      'openid email jobs:run',
    ]);
    expect((await register(idp, { ...good, scope: 'profile admin' })).body).toMatchObject({
      error: 'invalid_client_metadata',
      error_description: 'scope: only openid email jobs:run may be registered',
    });
  });
});

describe('a registration is refused', () => {
  const uri = 'invalid_redirect_uri';
  const metadata = 'invalid_client_metadata';
  test.each<[string, object, string]>([
    ['without a redirect URI', { redirect_uris: undefined }, uri],
    ['with an empty list of them', { redirect_uris: [] }, uri],
    ['with a redirect URI that is none', { redirect_uris: [5] }, uri],
    ['with http outside of this machine', { redirect_uris: ['http://app.example/cb'] }, uri],
    ['with http on this machine for a web client', { redirect_uris: ['http://localhost/cb'] }, uri],
    ['with a fragment', { redirect_uris: [`${cb}#x`] }, uri],
    ['with a wildcard', { redirect_uris: ['https://*.app.example/cb'] }, uri],
    ['with a relative one', { redirect_uris: ['/cb'] }, uri],
    ['with javascript:', { redirect_uris: ['javascript:alert(1)'], application_type: 'native' }, uri],
    ['with data:', { redirect_uris: ['data:text/html,x'], application_type: 'native' }, uri],
    ['with file:', { redirect_uris: ['file:///etc/passwd'], application_type: 'native' }, uri],
    ['with a user name in it', { redirect_uris: ['https://app.example@evil.example/'] }, uri],
    ['with a bad address after sign-out', { post_logout_redirect_uris: ['http://app.example/'] }, uri],
    ['with an unknown grant', { grant_types: ['password'] }, metadata],
    [
      'with a response type without its grant',
      { grant_types: ['refresh_token'], response_types: ['code'] },
      metadata,
    ],
    ['with a response type there is not', { response_types: ['magic'] }, metadata],
    ['with jwks and jwks_uri', { jwks: { keys: [key.jwk] }, jwks_uri: 'https://app.example/jwks' }, metadata],
    ['with a private key', { jwks: { keys: [{ ...key.jwk, d: 'x' }] } }, metadata],
    ['with private_key_jwt and no keys', { token_endpoint_auth_method: 'private_key_jwt' }, metadata],
    [
      'with private_key_jwt and no key that can be read',
      { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [{ kty: 'RSA' }] } },
      metadata,
    ],
    ['with an http initiate_login_uri', { initiate_login_uri: 'http://app.example/start' }, metadata],
    ['with one that has a fragment', { initiate_login_uri: 'https://app.example/start#x' }, metadata],
    ['with a logo that is no https URL', { logo_uri: 'data:image/png,x' }, metadata],
    ['with the same in German', { 'logo_uri#de': 'data:image/png,x' }, metadata],
    ['with an empty name in German', { 'client_name#de': ' ' }, metadata],
    ['with a name that is a number', { client_name: 5 }, metadata],
    ['with a control character in its name', { client_name: 'App\u202e\u0007' }, metadata],
    ['with a number as its name in German', { 'client_name#de': 5 }, metadata],
    ['with an algorithm there is not', { id_token_signed_response_alg: 'none' }, metadata],
    ['with a signing algorithm there is not', { token_endpoint_auth_signing_alg: 'HS1' }, metadata],
    ['with a scope that is no text', { scope: ['openid'] }, metadata],
    ['with a scope that has a quote', { scope: 'openid "' }, metadata],
    [
      'with client_credentials for a stranger',
      { grant_types: ['authorization_code', 'client_credentials'] },
      metadata,
    ],
    [
      'as a public client without PKCE',
      { token_endpoint_auth_method: 'none', require_pkce: false },
      metadata,
    ],
    [
      'with pairwise subjects for two hosts and no sector',
      { subject_type: 'pairwise', redirect_uris: [cb, 'https://other.example/cb'] },
      metadata,
    ],
    [
      'with a sector that cannot be fetched',
      { subject_type: 'pairwise', sector_identifier_uri: 'https://127.0.0.1:1/sector' },
      metadata,
    ],
    ['with encryption and no key', { id_token_encrypted_response_alg: 'RSA-OAEP-256' }, metadata],
    ['with a software statement', { software_statement: 'x.y.z' }, 'unapproved_software_statement'],
  ])(
    '%s (REG-08, REG-09, REG-10, REG-11, REG-12, REG-13, REG-15, REG-16, REG-18)',
    async (_, change, error) => {
      const idp = await startOpen({ settings: { ISSUER: 'https://id.example' } });
      const { status, headers, body } = await register(idp, { ...good, ...change });
      expect([status, body.error, headers.get('cache-control')]).toEqual([400, error, 'no-store']);
      expect(body.error_description.length).toBeGreaterThan(10);
      expect(await clients.list(idp.db)).toEqual([]);
    },
  );

  test.each([
    ['that is no JSON', '{', 400],
    ['that is a list', '[]', 400],
    ['that is null', 'null', 400],
    [
      'that names a member twice',
      `{"redirect_uris":["${cb}"],"redirect_uris":["https://evil.example/"]}`,
      400,
    ],
    ['that is nested deeply', `{"x":${'['.repeat(30_000)}${']'.repeat(30_000)}}`, 400],
    ['over 64 KiB', JSON.stringify({ ...good, software_id: 'x'.repeat(66_000) }), 413],
  ])('with a body %s', async (_, sent, expected) => {
    const { status, body } = await register(await startOpen(), sent);
    expect([status, body.error]).toEqual([expected, 'invalid_client_metadata']);
  });

  test('with a form in the place of JSON', async () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const { status, body } = await register(await startOpen(), 'client_name=App', { headers });
    expect([status, body.error]).toEqual([400, 'invalid_client_metadata']);
  });
});
