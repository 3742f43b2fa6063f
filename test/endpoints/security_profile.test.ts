/** What a client's security_profile changes (protocol.md §0). Who has none follows the default one, tested everywhere else. */
import { describe, expect, test } from 'vitest';
import { parseClientMetadata } from '../../src/oauth/client_metadata.js';
import { assertionOf, newClientKey, withAssertion } from '../support/assertion.js';
import { ask, codeOf, signedInBrowser } from '../support/authorize.js';
import { redeem, responseOf } from '../support/flow.js';
import { startIdp } from '../support/idp.js';

const strict = { security_profile: 'oauth_2_1' };

describe('a client with security_profile oauth_2_1', () => {
  test('must send a code_challenge, also if it is confidential and require_pkce is off (O21-01)', async () => {
    const idp = await startIdp();
    await idp.addClient({ ...strict, require_pkce: false }, 'strict');
    await idp.addClient({ require_pkce: false }, 'shop');
    await idp.addUser();
    const browser = await signedInBrowser(idp);
    const without = { code_challenge: undefined, code_challenge_method: undefined };
    expect(responseOf(await ask(browser, 'strict', without))).toMatchObject({ error: 'invalid_request' });
    expect(codeOf(await ask(browser, 'shop', without))).not.toBe('');
  });

  test('may leave redirect_uri out of the token request, and no other may (COD-04)', async () => {
    const idp = await startIdp();
    await idp.addUser();
    const browser = await signedInBrowser(idp);
    const statuses = [];
    for (const metadata of [strict, {}]) {
      const added = await idp.addClient(metadata);
      const code = codeOf(await ask(browser, added.client.client_id));
      statuses.push((await redeem(idp, added, code, { redirect_uri: undefined })).status);
    }
    expect(statuses).toEqual([200, 400]);
  });

  test('is refused where redirect_uri is sent and is another', async () => {
    const idp = await startIdp();
    await idp.addUser();
    const added = await idp.addClient(strict);
    const code = codeOf(await ask(await signedInBrowser(idp), added.client.client_id));
    const { body } = await redeem(idp, added, code, { redirect_uri: 'https://shop.example/other' });
    expect(body.error).toBe('invalid_grant');
  });

  test.each([
    ['the issuer', true, (issuer: string) => issuer],
    ['a list that names the issuer', true, (issuer: string) => ['https://other.example', issuer]],
    ['the token endpoint', false, (issuer: string) => `${issuer}/token`],
  ])('signs assertions whose aud is the issuer: %s → %s (CLA-08)', async (_, good, audOf) => {
    const idp = await startIdp();
    const key = await newClientKey('ES256');
    const keys = { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [key.jwk] } };
    await idp.addClient({ ...strict, ...keys, grant_types: ['client_credentials'] }, 'batch');
    const assertion = await assertionOf(idp, 'batch', key, { claims: { aud: audOf(idp.issuer) } });
    const { status, body } = await idp.token(withAssertion(assertion));
    expect([status, body.error]).toEqual(good ? [200, undefined] : [401, 'invalid_client']);
  });
});

describe('registration', () => {
  const metadata = { client_name: 'Bank', redirect_uris: ['https://bank.example/cb'] };
  const options = { allow_loopback_http: false };

  test.each(['fapi_1_advanced', 'fapi_2'])(
    'refuses %s with a sentence, as long as no token is bound to a key of its client',
    (security_profile) => {
      const parse = () => parseClientMetadata({ ...metadata, security_profile }, options);
      expect(parse).toThrow(`security_profile: ${security_profile} demands tokens that are bound to a key`);
      expect(parse).toThrow('token_endpoint_auth_method:');
    },
  );

  test('refuses a profile that there is not', () => {
    expect(() => parseClientMetadata({ ...metadata, security_profile: 'fapi_3' }, options)).toThrow(
      'security_profile',
    );
  });
});
