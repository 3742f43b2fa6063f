/**
 * What holds for every second factor: what changes with it, and when it may be removed. Whoever adds or removes one, of whatever kind,
 * calls these in the same transaction.
 */
import type { Deps } from '../deps.js';
import { factorName } from '../factors/factor_name.js';
import type { KeyRing } from '../keys/keys.js';
import { notifyUser } from '../mail/queue.js';
import { hasTwoFactors } from '../oauth/acr.js';
import { UserError } from '../oauth/errors.js';
import { type PolicyConfig, policyOf } from '../oauth/sign_in_step.js';
import * as credentials from '../store/credentials.js';
import type { Trx } from '../store/db.js';
import * as events from '../store/events.js';
import * as passkeys from '../store/passkeys.js';
import * as rememberedDevices from '../store/remembered_devices.js';
import * as secondFactors from '../store/second_factors.js';
import type { SessionRow } from '../store/sessions.js';
import * as users from '../store/users.js';
import { endSessionsOf } from './end_sessions.js';

/** After a factor was added or removed: no browser is spared one any more, and without a factor recovery codes stand in for nothing. */
export async function factorsChanged(trx: Trx, user_id: string): Promise<void> {
  await rememberedDevices.removeAll(trx, user_id);
  if ((await secondFactors.list(trx, user_id)).length === 0)
    await credentials.removeAll(trx, user_id, 'recovery_code');
}

/**
 * Before a factor is removed by its owner. Throws UserError `not_allowed` where it is the last one and the policy demands one. The
 * user's row is locked, so that of two that are removed at once the second one finds out.
 */
export async function assertMayRemoveFactor(trx: Trx, config: PolicyConfig, user_id: string): Promise<void> {
  const roles = (await users.hold(trx, user_id))?.roles ?? '';
  const factors = await secondFactors.list(trx, user_id);
  if (factors.length <= 1 && policyOf(config, roles) === 'required')
    throw new UserError('not_allowed', 'factor.last_required');
}

/**
 * Before a factor is added by whoever has not proved one: of two who know the password and set up the first one at the same moment one does,
 * and nobody adds theirs beside the owner's. Throws UserError `form_expired` where there is one.
 */
export async function assertFirstFactor(trx: Trx, user_id: string): Promise<void> {
  await users.hold(trx, user_id);
  if ((await secondFactors.list(trx, user_id)).length > 0) throw new UserError('form_expired', 'factor.over');
}

/** The same for a session, which may have proved a factor. Asked in the transaction: since the form was given out one may have been added. */
export async function assertMayAddFactor(
  trx: Trx,
  { user_id, amr }: Pick<SessionRow, 'user_id' | 'amr'>,
): Promise<void> {
  if (!hasTwoFactors(amr.split(' '))) await assertFirstFactor(trx, user_id);
}

type ChangeDeps = Pick<Deps, 'bell' | 'config' | 'db'> & { readonly ring: KeyRing };

/** Removes an authenticator app of its owner, who is told. Throws UserError `not_found`, or `not_allowed` for the last one. */
export async function removeTotp(
  deps: ChangeDeps,
  own: { readonly id: string; readonly user_id: string },
  visit: events.Visit,
  now: number,
): Promise<void> {
  const { config, ring } = deps;
  const { user_id } = own;
  await deps.db.transaction(async (trx) => {
    await assertMayRemoveFactor(trx, config, user_id);
    if (!(await credentials.remove(trx, { ...own, type: 'totp' })))
      throw new UserError('not_found', 'factor.gone');
    await factorsChanged(trx, user_id);
    const event = { type: 'factor_removed', user_id, detail: 'totp', visit } as const;
    await events.record(trx, event, now, config.EVENTS_SECONDS);
    const message = { name: 'totp_removed', from: visit } as const;
    await notifyUser(trx, { config, ring }, { user_id, message }, now);
  });
  deps.bell.ring();
}

/** Throws UserError `not_found`. */
export async function renameTotp(
  { db }: Pick<Deps, 'db'>,
  own: { readonly id: string; readonly user_id: string },
  name: string,
): Promise<void> {
  if (!(await credentials.rename(db, { ...own, type: 'totp', name: factorName(name) })))
    throw new UserError('not_found', 'factor.gone');
}

/**
 * Takes all second factors of a person away, passkeys and recovery codes too, who lost them: for the operator. All their sessions end,
 * and they are told. Gives what there was.
 */
export async function resetFactors(
  deps: ChangeDeps,
  user_id: string,
  now: number,
): Promise<readonly secondFactors.SecondFactor[]> {
  const { config, ring } = deps;
  const removed = await deps.db.transaction(async (trx) => {
    const there = await secondFactors.list(trx, user_id);
    await credentials.removeAll(trx, user_id, 'totp');
    await passkeys.removeAll(trx, user_id);
    await factorsChanged(trx, user_id);
    await endSessionsOf(trx, user_id, now);
    await events.record(trx, { type: 'factors_reset', user_id }, now, config.EVENTS_SECONDS);
    for (const type of new Set(there.map((factor) => factor.type))) {
      const name = type === 'totp' ? 'totp_removed' : 'passkey_removed';
      await notifyUser(trx, { config, ring }, { user_id, message: { name, from: null } }, now);
    }
    return there;
  });
  deps.bell.ring();
  return removed;
}
