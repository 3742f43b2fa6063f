import { describe, expect, test } from 'vitest';
import { removeUnusedClients } from '../../src/actions/client_registration.js';
import { cleanup } from '../../src/jobs/cleanup.js';
import * as clients from '../../src/store/clients.js';
import * as registrationTokens from '../../src/store/registration_tokens.js';
import { engines } from '../support/database.js';
import { authorizeUrl, signIn } from '../support/flow.js';
import { basic, type TestIdp } from '../support/idp.js';
import { cb, initialToken, registered, startOpen } from '../support/registration.js';
import { eventsOf } from '../support/shop.js';

const day = 86_400;
const lives = 10 * day;
const settings = {
  CLIENT_REGISTRATION_UNUSED_SECONDS: String(lives),
  SESSION_IDLE_SECONDS: '2592000',
};

const run = (idp: TestIdp) => cleanup.run(idp.deps, idp.now(), new AbortController().signal);
const lastUse = async (idp: TestIdp, client_id: string) =>
  (await clients.find(idp.db, client_id))?.last_used_at;

describe.each(engines)('a client that registered itself, on %s', (engine) => {
  test('is removed when nobody used it for long; the operator’s are not', async () => {
    const idp = await startOpen({ engine, settings });
    const { client_id } = await registered(idp);
    const { client } = await idp.addClient();
    idp.advance(lives);
    await run(idp);
    expect(await clients.find(idp.db, client_id)).toBeDefined();
    idp.advance(1);
    await run(idp);
    expect(await clients.find(idp.db, client_id)).toBeUndefined();
    expect((await idp.fetch(authorizeUrl(client_id, { redirect_uri: cb }))).status).toBe(400);
    expect(await clients.find(idp.db, client.client_id)).toBeDefined();
    expect(await eventsOf(idp, 'client_removed')).toHaveLength(1);
  });

  test('stays while somebody who is signed in comes with it, which is noted once a day', async () => {
    const idp = await startOpen({ engine, settings });
    await idp.addUser();
    const { client_id } = await registered(idp);
    const registered_at = idp.now();
    const browser = idp.browser();
    const url = authorizeUrl(client_id, { redirect_uri: cb });
    await signIn(browser, await browser.get(url));
    expect(await lastUse(idp, client_id)).toBe(registered_at);
    for (const [seconds, noted] of [
      [day - 1, registered_at],
      [1, registered_at + day],
      [day - 1, registered_at + day],
      [1, registered_at + 2 * day],
    ] as const) {
      idp.advance(seconds);
      await browser.get(url);
      expect(await lastUse(idp, client_id)).toBe(noted);
    }
    idp.advance(lives);
    await run(idp);
    expect(await clients.find(idp.db, client_id)).toBeDefined();
  });

  test('stays while it gets tokens; a stranger who knows its name keeps nothing alive', async () => {
    const idp = await startOpen({ engine, settings });
    const grant_types = ['client_credentials'];
    const token = await initialToken(idp, '--uses', '2');
    const used = await registered(idp, { grant_types, redirect_uris: [] }, { token });
    const visited = await registered(idp);
    idp.advance(lives - 1);
    const form = { grant_type: 'client_credentials' };
    expect((await idp.token(form, basic(used.client_id, used.client_secret ?? ''))).status).toBe(200);
    expect((await idp.token(form, basic(visited.client_id, 'wrong'))).status).toBe(401);
    await idp.fetch(authorizeUrl(visited.client_id, { redirect_uri: cb }));
    idp.advance(2);
    await run(idp);
    expect(
      await Promise.all(
        [used, visited].map(async ({ client_id }) => (await clients.find(idp.db, client_id)) !== undefined),
      ),
    ).toEqual([true, false]);
  });

  test('that is used at the moment of its removal stays, with what it has', async () => {
    const idp = await startOpen({ engine, settings });
    const { client_id } = await registered(idp);
    const before = idp.now();
    idp.advance(lives + 1);
    await clients.touch(idp.db, client_id, idp.now(), idp.now());
    const removed = await idp.db.transaction((trx) => clients.removeUnused(trx, client_id, before + 1));
    expect(removed).toBe(false);
    expect(await removeUnusedClients(idp.deps, idp.now())).toBe(0);
  });
});

describe.each(engines)('initial access tokens on %s', (engine) => {
  test('are digests in the database, and gone when they have expired', async () => {
    const idp = await startOpen({ engine });
    const token = await initialToken(idp, '--days', '1', '--note', 'build farm', '--uses', '3');
    await registered(idp, {}, { token });
    const rows = await registrationTokens.list(idp.db);
    expect(rows).toMatchObject([{ note: 'build farm', uses_left: 2, expires_at: idp.now() + day }]);
    expect(JSON.stringify(rows)).not.toContain(token);
    idp.advance(day + 61);
    await run(idp);
    expect(await registrationTokens.list(idp.db)).toEqual([]);
  });
});
