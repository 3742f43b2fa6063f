import { decodeJwt, decodeProtectedHeader } from 'jose';
import { describe, expect, test } from 'vitest';
import { updateResource } from '../../src/actions/resources.js';
import { createVerifier } from '../../src/relying_party/index.js';
import { accessTokenForm } from '../../src/tokens/token_rules.js';
import { basic } from '../support/idp.js';
import { startShop } from '../support/shop.js';

const bank = 'https://bank.example';
const mail = 'https://mail.example';
const scope = 'openid pay send';

/** A shop that may ask for two APIs, one of which has its tokens otherwise than usual. */
async function start(changes: Parameters<typeof updateResource>[2]) {
  const shop = await startShop({
    metadata: { scope, grant_types: ['authorization_code', 'refresh_token', 'client_credentials'] },
  });
  await shop.idp.addResource(bank, 'pay');
  await shop.idp.addResource(mail, 'send');
  const change = (more: typeof changes) => updateResource(shop.idp.deps, bank, more, shop.idp.now());
  await change(changes);
  /** The lifetime that the answer says, that of the token, and its algorithm. */
  const formOf = ({
    access_token,
    expires_in,
  }: {
    readonly access_token: string;
    readonly expires_in?: number;
  }) => {
    const { iat = 0, exp = 0 } = decodeJwt(access_token);
    return [expires_in, exp - iat, decodeProtectedHeader(access_token).alg];
  };
  return { ...shop, change, formOf };
}

describe('an access token for a resource server that wants it otherwise', () => {
  test('lives as long as that says, and is signed so; those for others do not change (JAT-03)', async () => {
    const { tokens, formOf } = await start({ access_token_seconds: 60, access_token_signing_alg: 'ES256' });
    expect(formOf(await tokens({ scope, resource: bank }))).toEqual([60, 60, 'ES256']);
    expect(formOf(await tokens({ scope, resource: mail }))).toEqual([600, 600, 'RS256']);
    expect(formOf(await tokens({ scope }))).toEqual([600, 600, 'RS256']);
  });

  test('lives as long as the shortest of several, and is signed with RS256 where they do not agree (RFC 9068 §2.1, JAT-03)', async () => {
    const { idp, tokens, formOf } = await start({
      access_token_seconds: 60,
      access_token_signing_alg: 'ES256',
    });
    const both = { scope, resource: [bank, mail] };
    expect(formOf(await tokens(both))).toEqual([60, 60, 'RS256']);
    await updateResource(
      idp.deps,
      mail,
      { access_token_seconds: 90, access_token_signing_alg: 'ES256' },
      idp.now(),
    );
    expect(formOf(await tokens(both))).toEqual([60, 60, 'ES256']);
    const with_userinfo = await tokens({ scope, resource: [bank, idp.issuer] });
    expect(formOf(with_userinfo)).toEqual([60, 60, 'RS256']);
    expect((await idp.userinfo(with_userinfo.access_token)).status).toBe(200);
  });

  test('is so for a client that acts for itself, and at the next refresh after a change (JAT-03)', async () => {
    const { idp, shop, tokens, refresh, change, formOf } = await start({ access_token_seconds: 60 });
    const own = await idp.token(
      { grant_type: 'client_credentials', scope: 'pay', resource: bank },
      basic('shop', shop.client_secret),
    );
    expect(formOf(own.body)).toEqual([60, 60, 'RS256']);
    const { refresh_token = '' } = await tokens({ scope, resource: bank });
    await change({ access_token_seconds: null, access_token_signing_alg: 'EdDSA' });
    expect(formOf((await refresh(refresh_token)).body)).toEqual([600, 600, 'EdDSA']);
  });

  test('never outlives the setting, though that was lowered since (JAT-03)', async () => {
    const tokenRules = async () => new Map([[bank, { seconds: 600, alg: null }]]);
    const form = await accessTokenForm({ tokenRules }, { ACCESS_TOKEN_SECONDS: 300 }, [bank]);
    expect(form).toEqual({ lifetime: 300, alg: 'RS256' });
  });

  test('is verified by the package for applications that is told of the algorithm, introspected, and revoked (JAT-03, INS-01, REV-01)', async () => {
    const { idp, shop, tokens } = await start({ access_token_signing_alg: 'ES256', client_id: 'shop' });
    const { access_token } = await tokens({ scope, resource: bank });
    const verifier = createVerifier({
      issuer: idp.issuer,
      audience: bank,
      algorithms: ['ES256'],
      now: idp.now,
    });
    expect((await verifier.verify(access_token)).claims.aud).toBe(bank);
    verifier.close();
    const asked = () =>
      idp.fetch('/introspect', {
        method: 'POST',
        headers: basic('shop', shop.client_secret),
        body: new URLSearchParams({ token: access_token }),
      });
    expect(await (await asked()).json()).toMatchObject({ active: true, aud: bank });
    await idp.fetch('/revoke', {
      method: 'POST',
      headers: basic('shop', shop.client_secret),
      body: new URLSearchParams({ token: access_token }),
    });
    expect(await (await asked()).json()).toEqual({ active: false });
  });
});
