import { describe, expect, test } from 'vitest';
import { grantConsent } from '../../src/actions/consents.js';
import * as consents from '../../src/store/consents.js';
import { engines } from '../support/database.js';
import { startIdp } from '../support/idp.js';
import { eventsOf } from '../support/shop.js';

describe.each(engines)('a consent on %s', (engine) => {
  async function start() {
    const idp = await startIdp({ engine });
    const { id } = await idp.addUser();
    await idp.addClient({}, 'shop');
    const grant = (request_id: string, ...words: string[]) =>
      grantConsent(idp.deps, { user_id: id, client_id: 'shop', words, request_id }, idp.now());
    const approved = async () => (await consents.find(idp.db, id, 'shop'))?.approved.split(' ').sort();
    return { idp, grant, approved, user_id: id };
  }

  test('is added to what was agreed to before, each word once', async () => {
    const { idp, grant, approved, user_id } = await start();
    await grant('r1', 'sign_in', 'openid');
    idp.advance(10);
    await grant('r2', 'sign_in', 'openid', 'email');
    expect(await approved()).toEqual(['email', 'openid', 'sign_in']);
    const row = await consents.find(idp.db, user_id, 'shop');
    expect([row?.granted_at, row?.granted_request]).toEqual([idp.now(), 'r2']);
  });

  test('of twenty tabs that agree to different things at the same moment, none is lost', async () => {
    const { grant, approved } = await start();
    const words = Array.from({ length: 20 }, (_, i) => `word${String(i).padStart(2, '0')}`);
    await Promise.all(words.map((word) => grant(word, word)));
    expect(await approved()).toEqual(words);
  });

  test('leaves a line in the audit trail that says what was agreed to', async () => {
    const { idp, grant, user_id } = await start();
    await grant('r1', 'sign_in', 'openid');
    expect(await eventsOf(idp, 'consent_granted')).toMatchObject([
      { user_id, client_id: 'shop', detail: 'sign_in openid', at: idp.now() },
    ]);
  });
});
