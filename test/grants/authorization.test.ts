import { decodeJwt } from 'jose';
import { describe, expect, test } from 'vitest';
import { engines } from '../support/database.js';
import { getTokens } from '../support/flow.js';
import { atOnce, startShop } from '../support/shop.js';

/** Which authorization an access token hangs on: the first half of its jti. */
function authorizationOf({ access_token }: { readonly access_token: string }): string {
  return String(decodeJwt(access_token).jti).split('.')[0] ?? '';
}

describe.each(engines)(
  'one authorization for each person, client and session, on %s (decisions 7)',
  (engine) => {
    test('serves every code and refresh token between them', async () => {
      const shop = await startShop({ engine });
      const first = await shop.tokens();
      const second = await shop.tokens({ scope: 'openid email' });
      const { body } = await shop.refresh(first.refresh_token);
      expect(new Set([first, second, body].map(authorizationOf)).size).toBe(1);
    });

    test('is made once by twenty requests at once', async () => {
      const shop = await startShop({ engine });
      await shop.browser.submit(await shop.browser.get('/login'), {
        email: 'ada@example.com',
        password: 'correct horse battery staple',
      });
      const codes = await atOnce(20, () => shop.code());
      const answers = await Promise.all(codes.map((code) => shop.redeem(code)));
      expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
      expect(new Set(answers.map(({ body }) => authorizationOf(body))).size).toBe(1);
    });

    test('is another for another client, another session, and what outlives the session', async () => {
      const shop = await startShop({ engine });
      const blog = await shop.idp.addClient({}, 'blog');
      const all = [
        await shop.tokens(),
        await shop.tokens({ scope: 'openid offline_access' }),
        await getTokens(shop.idp, blog, {}, shop.browser),
        await getTokens(shop.idp, shop.shop), // in another browser
      ];
      expect(new Set(all.map(authorizationOf)).size).toBe(4);
    });

    test('is a new one after the old one was revoked', async () => {
      const shop = await startShop({ engine });
      const code = await shop.code();
      const first = await shop.redeem(code);
      await shop.redeem(code);
      const second = await shop.tokens();
      expect(authorizationOf(second)).not.toBe(authorizationOf(first.body));
      expect((await shop.idp.userinfo(second.access_token)).status).toBe(200);
    });
  },
);
