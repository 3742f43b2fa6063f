import { decodeJwt, decodeProtectedHeader } from 'jose';
import { describe, expect, test } from 'vitest';
import { engines } from '../support/database.js';
import { authorizeUrl, getCode, getTokens, redeem, responseOf, signIn } from '../support/flow.js';
import { startIdp } from '../support/idp.js';

describe.each(engines)('the code flow on %s', (engine) => {
  test('one password opens two clients (INT-17)', async () => {
    const idp = await startIdp({ engine });
    const user = await idp.addUser();
    const shop = await idp.addClient({}, 'shop');
    const blog = await idp.addClient({ client_name: 'Blog' }, 'blog');
    const browser = idp.browser();

    const login = await browser.get(authorizeUrl('shop', { nonce: 'n1' }));
    expect(login.html).toContain('name="password"');
    const first = responseOf(await signIn(browser, login));
    expect(first).toEqual({ code: expect.any(String), state: 's1', iss: idp.issuer });
    const tokens = await redeem(idp, shop, first.code ?? '');
    expect([tokens.status, tokens.headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(tokens.body).toMatchObject({ token_type: 'Bearer', expires_in: 600, scope: 'openid' });
    expect(decodeJwt(tokens.body.id_token)).toMatchObject({
      iss: idp.issuer,
      aud: 'shop',
      sub: user.id,
      nonce: 'n1',
    });
    expect(decodeProtectedHeader(tokens.body.access_token)).toMatchObject({ alg: 'RS256', typ: 'at+jwt' });

    const code = await getCode(browser, 'blog'); // no password this time
    const second = await redeem(idp, blog, code);
    expect(decodeJwt(second.body.id_token)).toMatchObject({ aud: 'blog', sub: user.id });
  });

  test('userinfo answers the claims of the scope', async () => {
    const idp = await startIdp({ engine });
    const user = await idp.addUser();
    const { access_token } = await getTokens(idp, await idp.addClient(), { scope: 'openid email profile' });
    const { status, body } = await idp.userinfo(access_token);
    expect([status, body]).toEqual([
      200,
      {
        sub: user.id,
        email: 'ada@example.com',
        email_verified: true,
        name: 'Ada Lovelace',
        updated_at: user.updated_at,
      },
    ]);
  });
});
