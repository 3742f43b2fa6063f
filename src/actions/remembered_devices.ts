/** Browsers that are spared the second factor of a person for a while: REMEMBER_DEVICE_SECONDS. */
import type { Config } from '../config.js';
import type { Deps } from '../deps.js';
import { deviceNames } from '../devices/user_agent.js';
import { UserError } from '../oauth/errors.js';
import { digest, newId, newSecret } from '../secrets.js';
import type { Trx } from '../store/db.js';
import type { Visit } from '../store/events.js';
import * as rememberedDevices from '../store/remembered_devices.js';

type RememberConfig = Pick<Config, 'REMEMBER_DEVICE_SECONDS'>;

/** Spares a browser the second factor of a person. Gives the secret of its mark; null where that is switched off. */
export async function rememberDevice(
  trx: Trx,
  { REMEMBER_DEVICE_SECONDS }: RememberConfig,
  { user_id, visit }: { readonly user_id: string; readonly visit: Visit },
  now: number,
): Promise<string | null> {
  if (REMEMBER_DEVICE_SECONDS === 0) return null;
  const secret = newSecret();
  const { browser, system } = deviceNames(visit.user_agent);
  const name = [browser, system].filter((word) => word !== null).join(', ');
  await rememberedDevices.insert(trx, {
    ...{ id: newId(), token_hash: digest(secret), user_id, name, created_at: now, last_used_at: now },
    expires_at: now + REMEMBER_DEVICE_SECONDS,
  });
  return secret;
}

/** Whether the mark of a browser (its digest) spares it the second factor of a person now, and notes that it was used. */
export async function isRemembered(
  trx: Trx,
  { REMEMBER_DEVICE_SECONDS }: RememberConfig,
  { user_id, token_hash }: { readonly user_id: string; readonly token_hash: string | null },
  now: number,
): Promise<boolean> {
  if (token_hash === null || REMEMBER_DEVICE_SECONDS === 0) return false;
  return rememberedDevices.use(trx, { token_hash, user_id, now });
}

/** Forgets a browser that was spared the second factor. Throws UserError `not_found`. */
export async function forgetDevice(
  { db }: Pick<Deps, 'db'>,
  own: { readonly id: string; readonly user_id: string },
): Promise<void> {
  if (!(await db.transaction((trx) => rememberedDevices.remove(trx, own))))
    throw new UserError('not_found', 'factor.gone');
}
