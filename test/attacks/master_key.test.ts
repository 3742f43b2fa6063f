/** The master key changes under a running server. Decisions 9. */
import { expect, test } from 'vitest';
import { listKeys, rotateDueKeys, rotateSigningKey } from '../../src/actions/keys.js';
import { rewrapKeys } from '../../src/actions/rewrap_keys.js';
import type { Deps } from '../../src/deps.js';
import { masterKeysOf } from '../../src/keys/master_key.js';
import { newKey } from '../../src/secrets.js';
import * as secretKeys from '../../src/store/secret_keys.js';
import { engines } from '../support/database.js';
import { startIdp } from '../support/idp.js';
import { startShop } from '../support/shop.js';

/** The server's parts, where a new master key turns up after the old one was read. */
function whileRewrapping(deps: Deps): Deps {
  const old = deps.config.MASTER_KEY?.map((key) => Buffer.from(key, 'base64url')) ?? [];
  const changed = masterKeysOf([newKey(), ...old]);
  let asked = 0;
  return { ...deps, masterKeys: () => (asked++ === 0 ? masterKeysOf(old) : changed) };
}

test.each(engines)(
  'no key is wrapped under a master key that was replaced meanwhile, on %s',
  async (engine) => {
    const idp = await startIdp({ engine });
    const before = [await listKeys(idp.deps, idp.now()), await secretKeys.list(idp.db)];
    const conflict = { code: 'conflict' };
    const rotated = rotateSigningKey(whileRewrapping(idp.deps), { at_once: true }, idp.now());
    await expect(rotated).rejects.toMatchObject(conflict);

    const due = idp.now() + idp.config.KEY_ROTATION_SECONDS;
    await rotateSigningKey(idp.deps, { at_once: true }, due); // so that the sealing keys alone are due
    await expect(rotateDueKeys(whileRewrapping(idp.deps), due)).rejects.toMatchObject(conflict);
    expect([(await listKeys(idp.deps, idp.now())).length - 1, await secretKeys.list(idp.db)]).toEqual([
      before[0]?.length,
      before[1],
    ]);
  },
);

test('a server that knows only the old master key of its environment goes on when all is wrapped under a new one', async () => {
  const { idp, browser, tokens, refresh } = await startShop();
  const { refresh_token, access_token } = await tokens();
  const old = idp.config.MASTER_KEY?.map((key) => Buffer.from(key, 'base64url')) ?? [];
  const elsewhere = { ...idp.deps, masterKeys: () => masterKeysOf([newKey(), ...old]) };
  expect(await rewrapKeys(elsewhere, idp.now())).toBeGreaterThan(0);

  idp.advance(2);
  expect((await idp.fetch('/jwks')).status).toBe(200);
  expect((await refresh(refresh_token)).status).toBe(200);
  expect((await idp.userinfo(access_token)).status).toBe(200);
  expect((await browser.get('/')).html).toContain('You are signed in');
});
