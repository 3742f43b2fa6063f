import { describe, expect, test } from 'vitest';
import { revokeSession, signOut, signOutEverywhere } from '../../src/actions/sessions.js';
import * as sessions from '../../src/store/sessions.js';
import { engines } from '../support/database.js';
import { getTokens } from '../support/flow.js';
import { eventsOf, startShop } from '../support/shop.js';

async function signedInTwice(engine: (typeof engines)[number] = 'sqlite') {
  const shop = await startShop({ engine });
  const tokens = await shop.tokens();
  const elsewhere = shop.idp.browser();
  const others = await getTokens(shop.idp, shop.shop, {}, elsewhere);
  const list = () => sessions.listByUser(shop.idp.db, shop.user.id, shop.idp.now());
  const [first, second] = await list();
  if (first === undefined || second === undefined) throw new Error('two browsers have two sessions');
  return { ...shop, tokens, others, elsewhere, list, first, second };
}

describe.each(engines)('a session on %s', (engine) => {
  test('that is revoked ends at once with its tokens, and no other does (RFT-06, UIF-08)', async () => {
    const { idp, first, second, list, tokens, others, refresh } = await signedInTwice(engine);
    await revokeSession(idp.deps, first.id, idp.now());
    expect((await list()).map(({ id }) => id)).toEqual([second.id]);
    expect((await idp.userinfo(tokens.access_token)).status).toBe(401);
    expect((await refresh(tokens.refresh_token)).body.error).toBe('invalid_grant');
    expect((await idp.userinfo(others.access_token)).status).toBe(200);
    expect((await refresh(others.refresh_token)).status).toBe(200);
  });

  test('ends with all others of the person, and with what was given offline', async () => {
    const { idp, user, shop, elsewhere, list, others, refresh } = await signedInTwice(engine);
    const offline = await getTokens(idp, shop, { scope: 'openid offline_access' }, elsewhere);
    expect(await signOutEverywhere(idp.deps, user.id, idp.now())).toMatchObject({ sessions: 2, messages: 0 });
    expect(await list()).toEqual([]);
    for (const { access_token, refresh_token } of [others, offline]) {
      expect((await idp.userinfo(access_token)).status).toBe(401);
      expect((await refresh(refresh_token)).body.error).toBe('invalid_grant');
    }
  });

  test('is revoked once: of twenty at the same moment one finds it', async () => {
    const { idp, first } = await signedInTwice(engine);
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, () => revokeSession(idp.deps, first.id, idp.now())),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });
});

test('an unknown session or person is not found', async () => {
  const { idp } = await signedInTwice();
  for (const work of [
    () => revokeSession(idp.deps, 'nobody', idp.now()),
    () => signOutEverywhere(idp.deps, 'nobody', idp.now()),
  ])
    await expect(work()).rejects.toMatchObject({ code: 'not_found' });
});

test('signing out twice ends the session once and is told once', async () => {
  const { idp, user, first } = await signedInTwice();
  await signOut(idp.deps, first, idp.now());
  await signOut(idp.deps, first, idp.now());
  expect(await eventsOf(idp, 'signed_out')).toMatchObject([{ user_id: user.id, session_id: first.id }]);
});

test('what ended is gone for every other process at once', async () => {
  const { idp, first, browser } = await signedInTwice();
  expect((await browser.get('/')).html).toContain('ada@example.com');
  await revokeSession(idp.deps, first.id, idp.now());
  expect((await browser.get('/')).html).not.toContain('ada@example.com');
});
