/** Logout tokens that come in. OpenID Connect Back-Channel Logout 1.0 §2.4, §2.6; hardening rows 19 and 20. */
import { createLocalJWKSet, exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import { LogoutTokenError, readLogoutToken } from '../../src/upstream/logout_token.js';

const now = 1_700_000_000;
const event = 'http://schemas.openid.net/event/backchannel-logout';
const provider = {
  issuer: 'https://up.example',
  client_id: 'here',
  id_token_signed_response_alg: 'RS256',
};
const good = {
  ...{ iss: 'https://up.example', aud: 'here', iat: now, exp: now + 120, jti: 'j1' },
  ...{ sub: 'ada', sid: 's1', events: { [event]: {} } },
};

const pair = await generateKeyPair('RS256');
const stranger = await generateKeyPair('RS256');
const jwk = { ...(await exportJWK(pair.publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' };
const keys = createLocalJWKSet({ keys: [jwk] });

function sign(
  changes: object = {},
  header: object = {},
  key: Parameters<SignJWT['sign']>[0] = pair.privateKey,
) {
  const protectedHeader = { alg: 'RS256', kid: 'k1', typ: 'logout+jwt', ...header };
  const claims = Object.fromEntries(
    Object.entries({ ...good, ...changes }).filter(([, value]) => value !== undefined),
  );
  return new SignJWT(claims).setProtectedHeader(protectedHeader).sign(key, { crit: { 'urn:x': true } });
}
const read = (token: string) => readLogoutToken(provider, keys, token, now);

describe('a logout token', () => {
  test('says which session ended, or all of whose', async () => {
    const order = { jti: 'j1', ends_at: now + 150, sid: 's1', subject: 'ada' };
    expect(await read(await sign())).toEqual(order);
    expect(await read(await sign({ sub: undefined }))).toEqual({ ...order, subject: null });
    expect(await read(await sign({ sid: undefined }))).toEqual({ ...order, sid: null });
  });

  test.each([
    ['without typ, as older servers send it', { typ: undefined }],
    ['as a mere JWT', { typ: 'JWT' }],
    ['with a whole media type', { typ: 'application/logout+jwt' }],
  ])('counts %s', async (_, header) => {
    expect(await read(await sign({}, header))).toMatchObject({ sid: 's1' });
  });

  test.each([
    ['of another issuer', { iss: 'https://other.example' }],
    ['of no issuer', { iss: undefined }],
    ['for another client', { aud: 'shop' }],
    ['for nobody', { aud: undefined }],
    ['that has expired', { exp: now - 31 }],
    ['that never expires', { exp: undefined }],
    ['without iat', { iat: undefined }],
    ['that is old, however long it says it counts', { iat: now - 331, exp: now + 9999 }],
    ['of tomorrow', { iat: now + 86_400, exp: now + 86_500 }],
    ['without jti, so that it could come again', { jti: undefined }],
    ['with an empty jti', { jti: '' }],
    ['with a number for a jti', { jti: 7 }],
    ['with a nonce: an ID token in disguise', { nonce: 'n' }],
    ['without events: any other JWT of the provider', { events: undefined }],
    ['with other events', { events: { 'urn:other': {} } }],
    ['with an event that is no object', { events: { [event]: true } }],
    ['with events as a list', { events: [event] }],
    ['that names nobody', { sub: undefined, sid: undefined }],
    ['with an empty sid', { sid: '' }],
    ['with a sid that is a list', { sid: ['s1'] }],
  ])('is refused %s', async (_, changes) => {
    await expect(sign(changes).then(read)).rejects.toThrow(LogoutTokenError);
  });

  test.each([
    ['an access token', { typ: 'at+jwt' }],
    ['a token with an extension that is not understood', { crit: ['urn:x'], 'urn:x': 1 }],
  ])('is not %s', async (_, header) => {
    await expect(sign({}, header).then(read)).rejects.toThrow(LogoutTokenError);
  });

  test('is signed by the provider, with the algorithm that was agreed on (hardening 19)', async () => {
    const secret = new TextEncoder().encode(JSON.stringify(jwk));
    const ps256 = await generateKeyPair('PS256');
    for (const token of [
      await sign({}, {}, stranger.privateKey),
      await sign({}, { alg: 'HS256' }, secret),
      await sign({}, { alg: 'PS256' }, ps256.privateKey),
      new UnsecuredJWT(good).encode(),
      (await sign()).replace(/.$/, (last) => (last === 'A' ? 'Q' : 'A')),
      `${await sign()}.x`,
      '',
      'x'.repeat(16_385),
    ])
      await expect(read(token)).rejects.toThrow(LogoutTokenError);
  });
});
