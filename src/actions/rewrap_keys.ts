/** Moving all keys to a new master key, while the server runs. Decisions 9. */
import { secretContext, signingContext } from '../keys/keys.js';
import { addMasterKey, type MasterKeys } from '../keys/master_key.js';
import type { Trx } from '../store/db.js';
import * as secretKeys from '../store/secret_keys.js';
import * as signingKeys from '../store/signing_keys.js';
import { changeAlone, type KeyDeps } from './keys.js';

/**
 * Moves every key to the newest master key; where it comes from a folder, a new one is made there first. Running servers read the
 * keys anew within a second. Returns how many were wrapped anew.
 */
export async function rewrapKeys(deps: KeyDeps, now: number): Promise<number> {
  if (deps.config.MASTER_KEY === undefined) addMasterKey(deps.config.KEYS_DIR);
  const master = deps.masterKeys();
  let wrapped = 0;
  await changeAlone(deps, { type: 'keys_rewrapped' }, now, async (trx) => {
    wrapped = (await rewrapSigningKeys(trx, master)) + (await rewrapSecretKeys(trx, master));
  });
  return wrapped;
}

async function rewrapSigningKeys(trx: Trx, master: MasterKeys): Promise<number> {
  const rows = (await signingKeys.list(trx)).filter((row) => !master.isCurrent(row.private_key_wrapped));
  for (const { kid, private_key_wrapped } of rows) {
    const context = signingContext(kid);
    await signingKeys.rewrap(trx, kid, master.wrap(master.unwrap(private_key_wrapped, context), context));
  }
  return rows.length;
}

async function rewrapSecretKeys(trx: Trx, master: MasterKeys): Promise<number> {
  const rows = (await secretKeys.list(trx)).filter((row) => !master.isCurrent(row.key_wrapped));
  for (const { id, purpose, key_wrapped } of rows) {
    const context = secretContext(id, purpose);
    await secretKeys.rewrap(trx, id, master.wrap(master.unwrap(key_wrapped, context), context));
  }
  return rows.length;
}
