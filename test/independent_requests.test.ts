/** openid-client pushes and signs its requests, and verifies responses in JWTs and with tokens: it checks issuer, audience, nonce, hashes. */
import { exportJWK, generateKeyPair } from 'jose';
import * as client from 'openid-client';
import { expect, test } from 'vitest';
import type { Page } from './support/browser.js';
import { goodRequest, signIn } from './support/flow.js';
import { startFrontChannel } from './support/front_channel.js';
import { code_verifier, redirect_uri } from './support/idp.js';

const asked = { ...goodRequest, redirect_uri, nonce: 'n1' };
const checks = { pkceCodeVerifier: code_verifier, expectedState: 's1', expectedNonce: 'n1' };

/** A server with a client that the library knows by discovery, and a person who signs in where it sends them. */
async function start(
  response_type: string,
  metadata: object = {},
  told: Partial<client.ClientMetadata> = {},
) {
  const { idp, shop, browser } = await startFrontChannel(response_type, { metadata });
  const auth = client.ClientSecretBasic(shop.client_secret ?? '');
  const execute = [client.allowInsecureRequests];
  const config = await client.discovery(new URL(idp.issuer), 'shop', told, auth, { execute });
  const visit = async (url: URL): Promise<Page> =>
    signIn(browser, await browser.get(url.pathname + url.search));
  const come = async (url: URL) => new URL((await visit(url)).headers.get('location') ?? '');
  return { idp, config, come };
}

test('a pushed request (PAR-01, PAR-05)', async () => {
  const { config, come } = await start('code');
  const url = await client.buildAuthorizationUrlWithPAR(config, asked);
  expect([...url.searchParams.keys()].sort()).toEqual(['client_id', 'request_uri']);
  const tokens = await client.authorizationCodeGrant(config, await come(url), checks);
  expect(tokens.claims()?.nonce).toBe('n1');
});

test.each(['ES256', 'PS256', 'RS512'])('a request signed with %s, pushed too (JAR-01)', async (alg) => {
  const pair = await generateKeyPair(alg, { extractable: true });
  const jwk = { ...(await exportJWK(pair.publicKey)), kid: 'k1', use: 'sig' };
  const { config, come } = await start('code', {
    jwks: { keys: [jwk] },
    require_signed_request_object: true,
  });
  const url = await client.buildAuthorizationUrlWithJAR(config, asked, { key: pair.privateKey, kid: 'k1' });
  expect([...url.searchParams.keys()].sort()).toEqual(['client_id', 'request']);
  const pushedUrl = await client.buildAuthorizationUrlWithPAR(config, url.searchParams);
  const tokens = await client.authorizationCodeGrant(config, await come(pushedUrl), checks);
  expect(tokens.claims()?.nonce).toBe('n1');
});

test.each(['RS256', 'ES384'])('a response in a JWT signed with %s (JRM-01, JRM-02)', async (alg) => {
  const metadata = { authorization_signed_response_alg: alg };
  const { config, come } = await start('code', metadata, metadata);
  client.useJwtResponseMode(config);
  const url = client.buildAuthorizationUrl(config, asked);
  expect(url.searchParams.get('response_mode')).toBe('jwt');
  const tokens = await client.authorizationCodeGrant(config, await come(url), checks);
  expect(tokens.claims()?.nonce).toBe('n1');
});

test('the hybrid flow: it verifies c_hash, and both ID tokens (IDT-06, IDT-09)', async () => {
  const { config, come } = await start('code id_token');
  client.useCodeIdTokenResponseType(config);
  const url = client.buildAuthorizationUrl(config, { ...asked, response_type: 'code id_token' });
  const tokens = await client.authorizationCodeGrant(config, await come(url), checks);
  expect(tokens.claims()?.nonce).toBe('n1');
});

test('the implicit flow (IDT-08)', async () => {
  const { config, come } = await start('id_token');
  client.useIdTokenResponseType(config);
  const { code_challenge: _, code_challenge_method: __, ...parameters } = asked;
  const url = client.buildAuthorizationUrl(config, {
    ...parameters,
    response_type: 'id_token',
    scope: 'openid email',
  });
  const claims = await client.implicitAuthentication(config, await come(url), 'n1', { expectedState: 's1' });
  expect(claims.email).toBe('ada@example.com');
});
