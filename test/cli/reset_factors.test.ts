import { expect, test } from 'vitest';
import * as sessions from '../../src/store/sessions.js';
import { headingOf, signedInBrowser } from '../support/authorize.js';
import { commandsOf } from '../support/cli.js';
import { addApp, addRecoveryCodes, toFactor } from '../support/factors.js';
import { startIdp } from '../support/idp.js';
import { eventsOf } from '../support/shop.js';

async function start() {
  const idp = await startIdp();
  const user = await idp.addUser();
  await signedInBrowser(idp);
  await addApp(idp, user.id);
  await addRecoveryCodes(idp, user.id);
  return { idp, user, ...commandsOf(idp) };
}

test('users show tells which second factors a person has, and nothing that proves them', async () => {
  const { idp, json } = await start();
  expect(await json('users', 'show', 'ada@example.com')).toMatchObject({
    authenticator_apps: [{ name: 'Phone', created_at: idp.now(), last_used_at: null }],
    recovery_codes: 10,
  });
});

test('users reset-factors takes them all away, recovery codes too, and ends all sessions', async () => {
  const { idp, user, json } = await start();
  expect(await json('users', 'reset-factors', 'ada@example.com')).toEqual({
    ...{ sub: user.id, email: 'ada@example.com', removed: 1 },
  });
  expect(await sessions.listByUser(idp.db, user.id, idp.now())).toEqual([]);
  expect(headingOf((await toFactor(idp)).page)).toBe('You are signed in');
  expect(await json('users', 'show', 'ada@example.com')).toMatchObject({
    ...{ authenticator_apps: [], recovery_codes: 0 },
  });
  expect(await eventsOf(idp, 'factors_reset')).toHaveLength(1);
});
