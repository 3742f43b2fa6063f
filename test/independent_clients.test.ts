/** Libraries that we did not write drive the whole flow, so that we do not agree with ourselves alone. */
import { decodeJwt } from 'jose';
import * as oauth from 'oauth4webapi';
import * as client from 'openid-client';
import { describe, expect, test } from 'vitest';
import { newClientKey } from './support/assertion.js';
import { type Browser, formOf, type Page } from './support/browser.js';
import { signIn } from './support/flow.js';
import { formBody, redirect_uri, startIdp } from './support/idp.js';

const key = await newClientKey('ES256');
const bye_uri = 'https://shop.example/bye';

/** Every way of client authentication, in the words of either library. */
const ways = [
  {
    token_endpoint_auth_method: 'client_secret_basic',
    inOpenidClient: (secret: string) => client.ClientSecretBasic(secret),
    inOauth4webapi: (secret: string) => oauth.ClientSecretBasic(secret),
  },
  {
    token_endpoint_auth_method: 'client_secret_post',
    inOpenidClient: (secret: string) => client.ClientSecretPost(secret),
    inOauth4webapi: (secret: string) => oauth.ClientSecretPost(secret),
  },
  {
    token_endpoint_auth_method: 'client_secret_jwt',
    inOpenidClient: (secret: string) => client.ClientSecretJwt(secret),
    inOauth4webapi: (secret: string) => oauth.ClientSecretJwt(secret),
  },
  {
    token_endpoint_auth_method: 'private_key_jwt',
    inOpenidClient: () => client.PrivateKeyJwt({ key: key.private_key, kid: key.kid }),
    inOauth4webapi: () => oauth.PrivateKeyJwt({ key: key.private_key, kid: key.kid }),
  },
  {
    token_endpoint_auth_method: 'none',
    inOpenidClient: () => client.None(),
    inOauth4webapi: () => oauth.None(),
  },
] as const;
const confidential = ways.filter((way) => way.token_endpoint_auth_method !== 'none');
type Way = (typeof ways)[number];

/** The issuer is a loopback http address. */
const insecure = { [oauth.allowInsecureRequests]: true };

describe.each(ways)('openid-client with $token_endpoint_auth_method', (way) => {
  test('signs in, reads userinfo, refreshes and signs out', async () => {
    const { idp, user, config } = await startOpenidClient(way);
    const browser = idp.browser();
    const checks = newChecks();
    const page = await signInAt(browser, client.buildAuthorizationUrl(config, await requestWith(checks)));
    const tokens = await client.authorizationCodeGrant(config, locationOf(page), {
      pkceCodeVerifier: checks.code_verifier,
      expectedState: checks.state,
      expectedNonce: checks.nonce,
      idTokenExpected: true,
      maxAge: 3600,
    });
    expect(tokens.claims()).toMatchObject({ sub: user.id, nonce: checks.nonce, email: 'ada@example.com' });
    expect(await client.fetchUserInfo(config, tokens.access_token, user.id)).toMatchObject({
      sub: user.id,
      email: 'ada@example.com',
    });
    const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token ?? '');
    expect(refreshed.claims()).toMatchObject({ sub: user.id, aud: 'shop' });

    const { id_token: id_token_hint = '' } = tokens;
    const end = { id_token_hint, post_logout_redirect_uri: bye_uri, state: 's9' };
    const bye = await browser.get(client.buildEndSessionUrl(config, end).href);
    expect(locationOf(bye).href).toBe(`${bye_uri}?state=s9`);
    await expect(client.fetchUserInfo(config, refreshed.access_token, user.id)).rejects.toThrow();
  });

  test('reads an answer that came as a form (Form Post Response Mode)', async () => {
    const { idp, user, config } = await startOpenidClient(way);
    const checks = newChecks();
    const request = { ...(await requestWith(checks)), response_mode: 'form_post' };
    const page = await signInAt(idp.browser(), client.buildAuthorizationUrl(config, request));
    const tokens = await client.authorizationCodeGrant(config, posted(page), {
      pkceCodeVerifier: checks.code_verifier,
      expectedState: checks.state,
      expectedNonce: checks.nonce,
    });
    expect(tokens.claims()?.sub).toBe(user.id);
  });

  test('reads what went wrong, at the redirect and at the token endpoint', async () => {
    const { idp, config } = await startOpenidClient(way);
    const checks = newChecks();
    const request = { ...(await requestWith(checks)), prompt: 'none' };
    const page = await idp.browser().get(client.buildAuthorizationUrl(config, request).href);
    const expected = { pkceCodeVerifier: checks.code_verifier, expectedState: checks.state };
    await expect(client.authorizationCodeGrant(config, locationOf(page), expected)).rejects.toMatchObject({
      error: 'login_required',
    });
    await expect(client.refreshTokenGrant(config, 'x')).rejects.toMatchObject({ error: 'invalid_grant' });
  });
});

test.each(confidential)(
  'openid-client with $token_endpoint_auth_method gets a token for itself',
  async (way) => {
    const { config } = await startOpenidClient(way);
    const { access_token } = await client.clientCredentialsGrant(config, { scope: 'reports' });
    expect(decodeJwt(access_token)).toMatchObject({ sub: 'shop', scope: 'reports' });
  },
);

describe.each(ways)('oauth4webapi with $token_endpoint_auth_method', (way) => {
  test('signs in, verifies the ID token’s signature, reads userinfo and refreshes (BCP-08)', async () => {
    const { idp, user, as, app, auth } = await startOauth4webapi(way);
    const checks = newChecks();
    const url = new URL(as.authorization_endpoint ?? '');
    url.search = String(formBody({ ...(await requestWith(checks)), client_id: 'shop' }));
    const location = locationOf(await signInAt(idp.browser(), url));
    const answer = oauth.validateAuthResponse(as, app, location, checks.state); // checks iss, too
    const sent = [as, app, auth, answer, redirect_uri, checks.code_verifier, insecure] as const;
    const response = await oauth.authorizationCodeGrantRequest(...sent);
    const tokens = await oauth.processAuthorizationCodeResponse(as, app, response, {
      expectedNonce: checks.nonce,
      requireIdToken: true,
    });
    await oauth.validateApplicationLevelSignature(as, response, insecure);
    const userinfo = await oauth.userInfoRequest(as, app, tokens.access_token, insecure);
    expect(await oauth.processUserInfoResponse(as, app, user.id, userinfo)).toMatchObject({ sub: user.id });

    const again = await oauth.refreshTokenGrantRequest(as, app, auth, tokens.refresh_token ?? '', insecure);
    const refreshed = await oauth.processRefreshTokenResponse(as, app, again);
    expect(oauth.getValidatedIdTokenClaims(refreshed)?.sub).toBe(user.id);
  });
});

test.each(confidential)(
  'oauth4webapi with $token_endpoint_auth_method gets a token, and checks it as an API would (RFC 9068)',
  async (way) => {
    const { idp, as, app, auth } = await startOauth4webapi(way);
    const api = 'https://api.example';
    await idp.addResource(api, 'reports');
    const asked = { scope: 'reports', resource: api };
    const response = await oauth.clientCredentialsGrantRequest(as, app, auth, asked, insecure);
    const { access_token } = await oauth.processClientCredentialsResponse(as, app, response);
    const headers = { authorization: `Bearer ${access_token}` };
    const check = (expected_audience: string) =>
      oauth.validateJwtAccessToken(as, new Request(`${api}/`, { headers }), expected_audience, insecure);
    expect(await check(api)).toMatchObject({ sub: 'shop', client_id: 'shop', scope: 'reports' });
    await expect(check('https://other.example')).rejects.toThrow();
  },
);

async function startRegistered({ token_endpoint_auth_method }: Way) {
  const idp = await startIdp();
  const user = await idp.addUser();
  const grants = ['authorization_code', 'refresh_token'];
  const metadata = {
    token_endpoint_auth_method,
    grant_types: token_endpoint_auth_method === 'none' ? grants : [...grants, 'client_credentials'],
    scope: 'openid email profile reports',
    post_logout_redirect_uris: [bye_uri],
    ...(token_endpoint_auth_method === 'private_key_jwt' && { jwks: { keys: [key.jwk] } }),
  };
  const { client_secret } = await idp.addClient(metadata, 'shop');
  return { idp, user, secret: client_secret ?? '' };
}

async function startOpenidClient(way: Way) {
  const { idp, user, secret } = await startRegistered(way);
  const server = new URL(idp.issuer);
  const execute = [client.allowInsecureRequests];
  const config = await client.discovery(server, 'shop', undefined, way.inOpenidClient(secret), { execute });
  return { idp, user, config };
}

async function startOauth4webapi(way: Way) {
  const { idp, user, secret } = await startRegistered(way);
  const issuer = new URL(idp.issuer);
  const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure));
  return { idp, user, as, app: { client_id: 'shop' }, auth: way.inOauth4webapi(secret) };
}

/** What an application keeps until the answer comes. */
function newChecks() {
  return {
    code_verifier: oauth.generateRandomCodeVerifier(),
    state: oauth.generateRandomState(),
    nonce: oauth.generateRandomNonce(),
  };
}

async function requestWith({ code_verifier, state, nonce }: ReturnType<typeof newChecks>) {
  const code_challenge = await oauth.calculatePKCECodeChallenge(code_verifier);
  const pkce = { code_challenge, code_challenge_method: 'S256' };
  return { redirect_uri, response_type: 'code', scope: 'openid email', state, nonce, ...pkce };
}

/** What the person does; the result is what the browser brings back to the application. */
async function signInAt(browser: Browser, url: URL): Promise<Page> {
  return signIn(browser, await browser.get(url.href));
}

function locationOf(page: Page): URL {
  expect(page.status).toBe(303);
  return new URL(page.headers.get('location') ?? '');
}

/** The request that the page of form_post makes the browser send. */
function posted(page: Page): Request {
  const { action, hidden } = formOf(page.html);
  return new Request(action, { method: 'POST', body: new URLSearchParams(hidden) });
}
