import { describe, expect, test } from 'vitest';
import { listKeys, retireSigningKey, rotateDueKeys, rotateSigningKey } from '../../src/actions/keys.js';
import * as secretKeys from '../../src/store/secret_keys.js';
import { anotherProcess } from '../support/another_process.js';
import { engines } from '../support/database.js';
import { authorizeUrl, responseOf } from '../support/flow.js';
import { startIdp, type TestIdp } from '../support/idp.js';
import { kept, lead, publishedKids, rotation, signedBy, verifies } from '../support/keys.js';
import { eventsOf, startShop } from '../support/shop.js';

async function states(idp: TestIdp): Promise<Record<string, string>> {
  const keys = (await listKeys(idp.deps, idp.now())).filter(({ use }) => use === 'sig');
  return Object.fromEntries(keys.map(({ kid, state }) => [kid, state]));
}

async function activeKid(idp: TestIdp): Promise<string> {
  const active = Object.entries(await states(idp)).filter(([, state]) => state === 'active');
  expect(active).toHaveLength(1);
  return active[0]?.[0] ?? '';
}

const rotate = (idp: TestIdp, at_once = false) => rotateSigningKey(idp.deps, { at_once }, idp.now());

describe.each(engines)('the signing key on %s', (engine) => {
  test('that is announced is published at once, signs after the lead time, and leaves the old one published (JWK-04)', async () => {
    const idp = await startIdp({ engine });
    const old = await activeKid(idp);
    const next = await rotate(idp);
    const both = [old, next].toSorted();
    const during = { [old]: 'active', [next]: 'announced' };
    const after = { [old]: 'retired', [next]: 'active' };
    for (const [seconds, expected, published] of [
      [0, during, both],
      [lead - 1, during, both],
      [1, after, both],
      [kept - 1, after, both],
      [1, { [old]: 'gone', [next]: 'active' }, [next]],
    ] as const) {
      idp.advance(seconds);
      expect([await states(idp), await publishedKids(idp)]).toEqual([expected, published]);
    }
    expect(await eventsOf(idp, 'signing_key_added')).toMatchObject([{ detail: next }]);
  });

  test('may be rotated by five processes at once, and one alone signs at every moment afterwards', async () => {
    const idp = await startIdp({ engine });
    const other = await anotherProcess(idp);
    await Promise.all(
      [false, false, true, false, false].map((at_once, i) =>
        rotateSigningKey(i % 2 === 0 ? idp.deps : other, { at_once }, idp.now()),
      ),
    );
    for (const seconds of [0, lead - 1, 1, kept, 10_000]) {
      idp.advance(seconds);
      expect(await activeKid(idp)).toMatch(/^[\w-]{43}$/);
    }
    expect(await publishedKids(idp)).toHaveLength(1);
  });
});

describe('a rotation', () => {
  test('signs nobody out: session, tokens, refresh token and hint go on before, during and after', async () => {
    const { idp, shop, browser, tokens, refresh } = await startShop({
      metadata: { token_endpoint_auth_method: 'none' },
      settings: { ACCESS_TOKEN_SECONDS: '3600', ID_TOKEN_SECONDS: '3600' },
    });
    const first = await tokens({ scope: 'openid' });
    const next = await rotate(idp);
    let { refresh_token } = first;

    for (const [seconds, signs_anew] of [
      [0, false],
      [lead - 1, false],
      [1, true],
      [kept, true],
    ] as const) {
      idp.advance(seconds);
      const { body } = await refresh(refresh_token);
      expect(signedBy(body.access_token) === next).toBe(signs_anew);
      expect([await verifies(idp, body.access_token), await verifies(idp, body.id_token)]).toEqual([
        true,
        true,
      ]);
      expect((await idp.userinfo(body.access_token)).status).toBe(200);
      refresh_token = body.refresh_token;

      expect([await verifies(idp, first.access_token), await verifies(idp, first.id_token)]).toEqual([
        true,
        true,
      ]);
      expect((await idp.userinfo(first.access_token)).status).toBe(200);
      const silent = { prompt: 'none', id_token_hint: first.id_token };
      const answer = responseOf(await browser.get(authorizeUrl(shop.client.client_id, silent)));
      expect(answer).toHaveProperty('code');
    }
  });

  test('at once signs with the new key from that second on, and keeps the old one for its tokens (JWK-05)', async () => {
    const { idp, tokens } = await startShop();
    const before = await tokens();
    const kid = await rotate(idp, true);
    const after = await tokens();

    expect([signedBy(before.access_token) === kid, signedBy(after.access_token)]).toEqual([false, kid]);
    expect(await verifies(idp, before.access_token)).toBe(true);
    idp.advance(599); // the last second of the token
    expect(await verifies(idp, before.access_token)).toBe(true);
    idp.advance(kept - 599);
    expect(await publishedKids(idp)).toEqual([kid]);
  });

  test('in another process reaches this one within a second', async () => {
    const { idp, tokens } = await startShop();
    await tokens();
    const kid = await rotateSigningKey(await anotherProcess(idp), { at_once: true }, idp.now());
    idp.advance(1);
    expect(signedBy((await tokens()).id_token)).toBe(kid);
    expect(await publishedKids(idp)).toContain(kid);
  });

  test('keeps an ID token good as a hint long after its key is published no more', async () => {
    const { idp, shop, browser, tokens } = await startShop();
    const { id_token } = await tokens();
    await rotate(idp, true);
    idp.advance(kept + 3600);
    expect(await verifies(idp, id_token)).toBe(false);
    const answer = await browser.get(
      authorizeUrl(shop.client.client_id, { prompt: 'none', id_token_hint: id_token }),
    );
    expect(responseOf(answer)).toHaveProperty('code');
  });
});

describe('keys that are old enough', () => {
  test('are replaced by the job, with the lead time, and no sooner', async () => {
    const idp = await startIdp();
    const old = await activeKid(idp);
    idp.advance(rotation - 3600); // the key is as old as the run
    await rotateDueKeys(idp.deps, idp.now());
    expect(await states(idp)).toEqual({ [old]: 'active' });

    idp.advance(3600);
    await rotateDueKeys(idp.deps, idp.now());
    await rotateDueKeys(idp.deps, idp.now());
    expect(Object.values(await states(idp)).toSorted()).toEqual(['active', 'announced']);
    expect(await activeKid(idp)).toBe(old);
    idp.advance(lead);
    expect(await activeKid(idp)).not.toBe(old);
  });

  test('are forgotten when no hint that they signed is good any more', async () => {
    const idp = await startIdp();
    const old = await activeKid(idp);
    await rotate(idp, true);
    idp.advance(30 * 86_400 + kept - 1);
    await rotateDueKeys(idp.deps, idp.now());
    expect(await states(idp)).toHaveProperty([old], 'gone');
    idp.advance(2);
    await rotateDueKeys(idp.deps, idp.now());
    expect(await states(idp)).not.toHaveProperty([old]);
  });

  test('for sealing are replaced too, but for those whose work lasts, and what the old ones sealed still opens', async () => {
    const idp = await startIdp();
    const before = await idp.deps.keys.get();
    const { purposes } = secretKeys;
    const rotating: readonly string[] = purposes.filter(
      (purpose) => !['pairwise', 'client_secret', 'factor'].includes(purpose),
    );
    const sealed = before.seal('seal', Buffer.from('pending'), 'here');
    const macs = purposes.map((purpose) => before.mac(purpose, 'text'));
    idp.advance(rotation + 1);
    await rotateDueKeys(idp.deps, idp.now());

    const after = await idp.deps.keys.get();
    expect(await secretKeys.list(idp.db)).toHaveLength(purposes.length + rotating.length);
    expect(after.open('seal', sealed, 'here')?.toString()).toBe('pending');
    expect(after.seal('seal', Buffer.from('x'), 'here').split('.')[0]).not.toBe(sealed.split('.')[0]);
    for (const [i, purpose] of purposes.entries()) {
      expect(after.isMac(purpose, 'text', macs[i] ?? '')).toBe(true);
      expect(after.mac(purpose, 'text') === macs[i]).toBe(!rotating.includes(purpose));
    }
  });
});

describe('a signing key that is taken out', () => {
  test('verifies nothing any more from that second on, and another signs', async () => {
    const { idp, tokens, refresh } = await startShop();
    const { access_token, refresh_token } = await tokens();
    const leaked = await activeKid(idp);
    const { replaced_by } = await retireSigningKey(idp.deps, leaked, idp.now());

    expect(await publishedKids(idp)).toEqual([replaced_by]);
    expect((await idp.userinfo(access_token)).status).toBe(401);
    expect(await verifies(idp, access_token)).toBe(false);
    const fresh = (await refresh(refresh_token)).body; // nobody is signed out: refreshing goes on
    expect([signedBy(fresh.access_token), signedBy(fresh.id_token)]).toEqual([replaced_by, replaced_by]);
    expect(await eventsOf(idp, 'signing_key_retired')).toMatchObject([{ detail: leaked }]);
  });

  test('while it was only announced leaves the one that signs signing for good', async () => {
    const idp = await startIdp();
    const old = await activeKid(idp);
    const announced = await rotate(idp);
    expect(await retireSigningKey(idp.deps, announced, idp.now())).toEqual({ replaced_by: null });
    idp.advance(10 * lead);
    expect(await states(idp)).toEqual({ [old]: 'active' });
  });

  test('while another is announced is replaced until that one’s time comes', async () => {
    const idp = await startIdp();
    const announced = await rotate(idp);
    const { replaced_by } = await retireSigningKey(idp.deps, await activeKid(idp), idp.now());
    expect(await activeKid(idp)).toBe(replaced_by);
    idp.advance(lead);
    expect(await activeKid(idp)).toBe(announced);
    idp.advance(kept);
    expect(await publishedKids(idp)).toEqual([announced]);
  });

  test('when it was retired already needs no other', async () => {
    const idp = await startIdp();
    const old = await activeKid(idp);
    const next = await rotate(idp, true);
    expect(await retireSigningKey(idp.deps, old, idp.now())).toEqual({ replaced_by: null });
    expect(await states(idp)).toEqual({ [next]: 'active' });
  });

  test('must be there: an unknown kid is refused and changes nothing', async () => {
    const idp = await startIdp();
    const before = await states(idp);
    await expect(retireSigningKey(idp.deps, 'nobody', idp.now())).rejects.toMatchObject({
      code: 'not_found',
    });
    expect([await states(idp), await eventsOf(idp, 'signing_key_retired')]).toEqual([before, []]);
  });
});
