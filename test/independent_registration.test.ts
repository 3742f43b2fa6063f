/** Libraries that we did not write register themselves and sign people in. */
import * as oauth from 'oauth4webapi';
import * as client from 'openid-client';
import { expect, test } from 'vitest';
import { newClientKey } from './support/assertion.js';
import { signIn } from './support/flow.js';
import { initialToken, manage, startOpen } from './support/registration.js';

const key = await newClientKey('ES256');
const redirect_uri = 'https://app.example/cb';
const insecure = { [oauth.allowInsecureRequests]: true };
const grants = ['authorization_code', 'refresh_token'];

const ways: readonly (readonly [client.ClientAuth, object])[] = [
  [client.ClientSecretBasic(), { token_endpoint_auth_method: 'client_secret_basic' }],
  [client.ClientSecretPost(), { token_endpoint_auth_method: 'client_secret_post' }],
  [client.None(), { token_endpoint_auth_method: 'none' }],
  [
    client.PrivateKeyJwt({ key: key.private_key, kid: key.kid }),
    { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [key.jwk] } },
  ],
];

test.each(ways)(
  'openid-client registers itself and signs somebody in: %#',
  async (authentication, metadata) => {
    const idp = await startOpen({ settings: { CLIENT_REGISTRATION: 'token' } });
    const user = await idp.addUser();
    const said: Partial<client.ClientMetadata> = {
      client_name: 'App',
      redirect_uris: [redirect_uri],
      grant_types: grants,
      ...metadata,
    };
    const config = await client.dynamicClientRegistration(new URL(idp.issuer), said, authentication, {
      initialAccessToken: await initialToken(idp),
      execute: [client.allowInsecureRequests],
    });
    const { client_id, registration_access_token } = config.clientMetadata();
    expect(config.clientMetadata()).toMatchObject(said);

    const pkceCodeVerifier = client.randomPKCECodeVerifier();
    const url = client.buildAuthorizationUrl(config, {
      redirect_uri,
      scope: 'openid email offline_access',
      code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256',
    });
    const browser = idp.browser();
    const consent = await signIn(browser, await browser.get(url.href));
    const { headers } = await browser.submit(consent, { action: 'allow' });
    const tokens = await client.authorizationCodeGrant(config, new URL(headers.get('location') ?? ''), {
      pkceCodeVerifier,
      idTokenExpected: true,
    });
    expect(tokens.claims()).not.toHaveProperty('email'); // id_token_claims: minimal
    expect(await client.fetchUserInfo(config, tokens.access_token, user.id)).toMatchObject({
      email: user.email,
    });
    expect((await client.refreshTokenGrant(config, tokens.refresh_token ?? '')).id_token).toBeDefined();

    const own = { client_id, registration_access_token: String(registration_access_token) };
    expect((await manage(idp, own, { method: 'DELETE' })).status).toBe(204);
    await expect(client.fetchUserInfo(config, tokens.access_token, user.id)).rejects.toThrow();
  },
);

test('oauth4webapi registers itself, and reads what is wrong', async () => {
  const idp = await startOpen();
  const issuer = new URL(idp.issuer);
  const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure));
  const registered = await oauth.dynamicClientRegistrationRequest(
    as,
    { redirect_uris: [redirect_uri] },
    insecure,
  );
  expect(await oauth.processDynamicClientRegistrationResponse(registered)).toMatchObject({
    redirect_uris: [redirect_uri],
    client_secret: expect.any(String),
    client_secret_expires_at: 0,
  });
  const wrong = await oauth.dynamicClientRegistrationRequest(as, { redirect_uris: ['/cb'] }, insecure);
  await expect(oauth.processDynamicClientRegistrationResponse(wrong)).rejects.toMatchObject({
    error: 'invalid_redirect_uri',
  });
});

test('an agent registers itself as a public native client and comes back on any port (protocol.md §30.12)', async () => {
  const idp = await startOpen();
  await idp.addUser();
  const metadata = {
    ...{ client_name: 'Agent', application_type: 'native', token_endpoint_auth_method: 'none' },
    ...{ redirect_uris: ['http://127.0.0.1/callback'], grant_types: grants },
  };
  const config = await client.dynamicClientRegistration(new URL(idp.issuer), metadata, client.None(), {
    algorithm: 'oauth2',
    execute: [client.allowInsecureRequests],
  });
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: 'http://127.0.0.1:49152/callback',
    scope: 'openid offline_access',
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    resource: idp.issuer,
  });
  const browser = idp.browser();
  const consent = await signIn(browser, await browser.get(url.href));
  expect(consent.html).toContain('127.0.0.1:49152');
  const { headers } = await browser.submit(consent, { action: 'allow' });
  const current = new URL(headers.get('location') ?? '');
  const tokens = await client.authorizationCodeGrant(config, current, { pkceCodeVerifier });
  expect((await client.refreshTokenGrant(config, tokens.refresh_token ?? '')).refresh_token).toBeDefined();
});
