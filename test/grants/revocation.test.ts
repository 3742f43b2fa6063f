import { decodeJwt } from 'jose';
import { describe, expect, test } from 'vitest';
import { disableClient, removeClient } from '../../src/actions/clients.js';
import { revokeSession, signOutEverywhere } from '../../src/actions/sessions.js';
import { disableUser, enableUser, removeUser, setPassword } from '../../src/actions/users.js';
import { engines } from '../support/database.js';
import { getTokens, signIn } from '../support/flow.js';
import { atOnce, publicClient, type Shop, startShop } from '../support/shop.js';

type Act = (shop: Shop, id_token: string) => Promise<unknown>;

/** What a person or an operator does that ends one session. */
const endsTheSession: readonly [string, Act][] = [
  ['signs out at the application', signOutAtApplication],
  ['signs out here', signOutHere],
  ['signs in as somebody else in the same browser', signInAsAnother],
  ['has this session revoked', revokeThisSession],
];

/** What ends offline access too, and what the client is told afterwards if not invalid_grant. */
const endsEverything: readonly [string, Act, string?][] = [
  ['has everything revoked', revokeEverything],
  ['gets a new password', changePassword],
  ['is disabled', disable],
  ['is disabled and enabled again', disableAndEnable],
  ['is removed', remove],
  ['has a client that is disabled', disableShop, 'invalid_client'],
  ['has a client that was disabled for a moment', disableShopForAMoment],
  ['has a client that is removed', removeShop, 'invalid_client'],
];

const ends = [
  ...endsTheSession.map(([title, act]) => [title, act, 'goes on', 'invalid_grant'] as const),
  ...endsEverything.map(([title, act, error]) => [title, act, 'dies', error ?? 'invalid_grant'] as const),
];

describe.each(engines)('on %s, at once when a person', (engine) => {
  test.each(ends)(
    '%s: codes, refresh tokens and userinfo end; offline_access does not end with the session alone (decisions 30, COD-09, RFT-06, UIF-08)',
    async (_, act, offlineAccess, error) => {
      const shop = await startShop({ engine });
      const bound = await shop.tokens();
      const bound_code = await shop.code();
      const offline = await shop.tokens({ scope: 'openid offline_access' });
      const offline_code = await shop.code({ scope: 'openid offline_access' });

      await act(shop, bound.id_token);

      expect((await shop.idp.userinfo(bound.access_token)).status).toBe(401);
      expect((await shop.refresh(bound.refresh_token)).body.error).toBe(error);
      expect((await shop.redeem(bound_code)).body.error).toBe(error);
      const left = offlineAccess === 'goes on';
      expect((await shop.idp.userinfo(offline.access_token)).status).toBe(left ? 200 : 401);
      expect((await shop.refresh(offline.refresh_token)).body.error).toBe(left ? undefined : error);
      expect((await shop.redeem(offline_code)).body.error).toBe(error); // what was not redeemed by then never is
    },
  );

  test('signing in again as the same person leaves all as it is (decisions 16)', async () => {
    const shop = await startShop({ engine });
    const { access_token, refresh_token } = await shop.tokens();
    const code = await shop.code();
    await signIn(shop.browser, await shop.browser.get('/login'));
    expect((await shop.idp.userinfo(access_token)).status).toBe(200);
    expect((await shop.refresh(refresh_token)).status).toBe(200);
    expect((await shop.redeem(code)).status).toBe(200);
  });

  test('signs out while twenty refreshes are under way: none of what they get is good afterwards (hardening 8)', async () => {
    const shop = await startShop({ engine, metadata: publicClient });
    const { refresh_token } = await shop.tokens();
    const [answers] = await Promise.all([atOnce(20, () => shop.refresh(refresh_token)), signOutHere(shop)]);
    for (const { body } of answers.filter(({ status }) => status === 200)) {
      expect((await shop.idp.userinfo(body.access_token)).status).toBe(401);
      expect((await shop.refresh(body.refresh_token)).body.error).toBe('invalid_grant');
    }
    expect((await shop.refresh(refresh_token)).body.error).toBe('invalid_grant');
  });

  test('another session of the same person goes on', async () => {
    const shop = await startShop({ engine });
    const other = await getTokens(shop.idp, shop.shop);
    const here = await shop.tokens();
    await signOutHere(shop);
    expect((await shop.idp.userinfo(here.access_token)).status).toBe(401);
    expect((await shop.idp.userinfo(other.access_token)).status).toBe(200);
    expect((await shop.refresh(other.refresh_token)).status).toBe(200);
  });

  test('who signs in after a sign-out gets tokens that work', async () => {
    const shop = await startShop({ engine });
    await shop.tokens();
    await signOutHere(shop);
    const { access_token, refresh_token } = await shop.tokens();
    expect((await shop.idp.userinfo(access_token)).status).toBe(200);
    expect((await shop.refresh(refresh_token)).status).toBe(200);
  });
});

async function signOutAtApplication({ browser }: Shop, id_token: string): Promise<void> {
  const page = await browser.get(`/logout?id_token_hint=${id_token}`);
  expect(page.html).toContain('You are signed out');
}

async function signOutHere({ browser }: Shop): Promise<void> {
  const page = await browser.submit(await browser.get('/logout'), { action: 'sign_out' });
  expect(page.html).toContain('You are signed out');
}

async function signInAsAnother({ idp, browser }: Shop): Promise<void> {
  await idp.addUser({ email: 'bob@example.com', claims: { name: 'Bob' } });
  const page = await signIn(browser, await browser.get('/login'), { email: 'bob@example.com' });
  expect(page.html).toContain('bob@example.com');
}

async function revokeThisSession({ idp }: Shop, id_token: string): Promise<void> {
  await revokeSession(idp.deps, String(decodeJwt(id_token).sid), idp.now());
}

async function revokeEverything({ idp, user }: Shop): Promise<void> {
  await signOutEverywhere(idp.deps, user.id, idp.now());
}

async function changePassword({ idp, user }: Shop): Promise<void> {
  await setPassword(idp.deps, user.id, 'another long password', idp.now());
}

async function disable({ idp, user }: Shop): Promise<void> {
  await disableUser(idp.deps, user.id, idp.now());
}

async function remove({ idp, user }: Shop): Promise<void> {
  await removeUser(idp.deps, user.id, idp.now());
}

async function disableShop({ idp }: Shop): Promise<void> {
  await disableClient(idp.deps, 'shop', true, idp.now());
}

async function removeShop({ idp }: Shop): Promise<void> {
  await removeClient(idp.deps, 'shop', idp.now());
}

async function disableAndEnable(shop: Shop): Promise<void> {
  await disable(shop);
  await enableUser(shop.idp.deps, shop.user.id, shop.idp.now());
}

async function disableShopForAMoment(shop: Shop): Promise<void> {
  await disableShop(shop);
  await disableClient(shop.idp.deps, 'shop', false, shop.idp.now());
}
