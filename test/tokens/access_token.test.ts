import { decodeJwt, decodeProtectedHeader } from 'jose';
import { describe, expect, test } from 'vitest';
import { startShop } from '../support/shop.js';

describe('an access token (RFC 9068)', () => {
  test('is a JWT of its own type, with the claims that the RFC asks for (JAT-01)', async () => {
    const { idp, user, tokens } = await startShop();
    const { access_token, id_token } = await tokens({ scope: 'openid email' });
    const { sid, acr, amr, auth_time } = decodeJwt(id_token);
    expect(decodeProtectedHeader(access_token)).toEqual({
      alg: 'RS256',
      typ: 'at+jwt',
      kid: expect.any(String),
    });
    expect(decodeJwt(access_token)).toEqual({
      ...{ iss: idp.issuer, sub: user.id, aud: idp.issuer, client_id: 'shop', scope: 'openid email' },
      ...{ iat: idp.now(), exp: idp.now() + 600, jti: expect.any(String) },
      ...{ sid, acr, amr, auth_time },
      status: {
        status_list: { idx: expect.any(Number), uri: expect.stringMatching(/\/status-lists\/[\w-]{8}$/) },
      },
    });
  });

  test('each has an id of its own', async () => {
    const { tokens, refresh } = await startShop();
    const { access_token, refresh_token } = await tokens();
    const more = [await refresh(refresh_token), await refresh(refresh_token)];
    const all = [access_token, ...more.map(({ body }) => body.access_token)];
    expect(new Set(all.map((token) => decodeJwt(token).jti)).size).toBe(3);
  });

  test('tells an API nothing personal, whatever was granted (BCP-05)', async () => {
    const { tokens } = await startShop({
      metadata: { scope: 'openid email profile phone address' },
      user: { roles: ['editor'] },
    });
    const { access_token } = await tokens({ scope: 'openid email profile phone address' });
    const text = JSON.stringify(decodeJwt(access_token));
    expect(text).not.toMatch(/ada@example\.com|\bAda\b|\beditor\b/); // whole words: ids are random letters
  });

  test('tells the roles where they were granted, so that an API can decide alone (§2.2.3.1)', async () => {
    const { tokens } = await startShop({
      metadata: { scope: 'openid roles' },
      user: { roles: ['editor', 'admin'] },
    });
    const { access_token } = await tokens({ scope: 'openid roles' });
    expect(decodeJwt(access_token).roles).toEqual(['editor', 'admin']);
  });

  test('its lifetime is a setting, and expires_in says it (TOK-01)', async () => {
    const { idp, redeem, code } = await startShop({ settings: { ACCESS_TOKEN_SECONDS: '30' } });
    const { body } = await redeem(await code());
    expect([body.expires_in, decodeJwt(body.access_token).exp]).toEqual([30, idp.now() + 30]);
  });

  test('names the claims that were asked for by name, for userinfo', async () => {
    const { tokens } = await startShop();
    const claims = JSON.stringify({ userinfo: { email: null } });
    expect(decodeJwt((await tokens({ claims })).access_token).userinfo_claims).toEqual(['email']);
  });
});
