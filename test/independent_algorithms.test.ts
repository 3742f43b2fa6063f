/** openid-client, told the algorithms that it is registered with, takes what it gets for each of them, and nothing else. */
import { exportJWK, generateKeyPair } from 'jose';
import * as client from 'openid-client';
import { describe, expect, test } from 'vitest';
import { jweAlgs, jweEncs, jwsAlgs } from '../src/oauth/algorithms.js';
import { authorizeUrl, signIn } from './support/flow.js';
import { code_verifier, startIdp } from './support/idp.js';

/** Signs a person in at a client with this metadata, and reads userinfo; the library checks every signature. */
async function signInWith(
  metadata: Readonly<Record<string, unknown>>,
  told: Partial<client.ClientMetadata>,
  prepare: (config: client.Configuration) => void = () => {},
) {
  const idp = await startIdp();
  const user = await idp.addUser();
  const { client_secret } = await idp.addClient(metadata, 'shop');
  const auth = client.ClientSecretBasic(client_secret ?? '');
  const execute = [client.allowInsecureRequests, client.enableNonRepudiationChecks];
  const config = await client.discovery(new URL(idp.issuer), 'shop', told, auth, { execute });
  prepare(config);
  const browser = idp.browser();
  const page = await signIn(browser, await browser.get(authorizeUrl('shop', { nonce: 'n' })));
  const location = new URL(page.headers.get('location') ?? '');
  const checks = { pkceCodeVerifier: code_verifier, expectedState: 's1', expectedNonce: 'n' };
  const tokens = await client.authorizationCodeGrant(config, location, checks);
  const userinfo = await client.fetchUserInfo(config, tokens.access_token, tokens.claims()?.sub ?? '');
  return { user, tokens, userinfo };
}

describe.each(jwsAlgs)('openid-client registered for %s', (alg) => {
  const metadata = { id_token_signed_response_alg: alg, userinfo_signed_response_alg: alg };

  test('verifies the ID token and userinfo (IDT-02, UIF-04)', async () => {
    const { user, tokens, userinfo } = await signInWith(metadata, metadata);
    expect([tokens.claims()?.sub, userinfo.sub]).toEqual([user.id, user.id]);
  });
});

test('openid-client refuses an ID token of an algorithm that it was not registered for', async () => {
  const told = { id_token_signed_response_alg: 'ES256' };
  await expect(signInWith({ id_token_signed_response_alg: 'PS256' }, told)).rejects.toThrow();
});

test.each(jweAlgs.map((alg, i) => [alg, jweEncs[i] ?? jweEncs[0]] as const))(
  'openid-client decrypts an ID token and userinfo that are encrypted with %s and %s (IDT-12, UIF-04)',
  async (alg, enc) => {
    const pair = await generateKeyPair(alg, { extractable: true });
    const jwk = { ...(await exportJWK(pair.publicKey)), use: 'enc', kid: 'e1' };
    const response = (purpose: string) => ({
      [`${purpose}_encrypted_response_alg`]: alg,
      [`${purpose}_encrypted_response_enc`]: enc,
    });
    const metadata = { ...response('id_token'), ...response('userinfo'), jwks: { keys: [jwk] } };
    const { user, tokens, userinfo } = await signInWith(metadata, {}, (config) =>
      client.enableDecryptingResponses(config, [enc], { key: pair.privateKey, alg, kid: 'e1' }),
    );
    expect([tokens.claims()?.sub, userinfo.sub]).toEqual([user.id, user.id]);
  },
);

test('openid-client signs a person in with a pairwise subject (IDT-15)', async () => {
  const { user, tokens, userinfo } = await signInWith({ subject_type: 'pairwise' }, {});
  expect(userinfo.sub).toBe(tokens.claims()?.sub);
  expect(userinfo.sub).not.toBe(user.id);
});
