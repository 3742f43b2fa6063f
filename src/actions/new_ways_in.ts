/**
 * Ways to sign in that were added to an account lately, taken away again: by its owner, who got it back from somebody who had been in it and
 * would come back by a passkey or a provider of theirs, or keep the owner out by an app. What is older stays. Hardening row 12.
 */
import type { Config } from '../config.js';
import * as credentials from '../store/credentials.js';
import type { Trx } from '../store/db.js';
import * as events from '../store/events.js';
import * as federatedIdentities from '../store/federated_identities.js';
import * as passkeys from '../store/passkeys.js';
import * as secondFactors from '../store/second_factors.js';
import { factorsChanged } from './second_factors.js';

interface Removal {
  readonly user_id: string;
  /** Whole seconds since 1970: what was added then or later goes. */
  readonly since: number;
  readonly visit: events.Visit;
}

/** Takes away the second factors and the accounts at other providers that were added `since`. Not the password. */
export async function removeNewWaysIn(
  trx: Trx,
  { EVENTS_SECONDS }: Pick<Config, 'EVENTS_SECONDS'>,
  { user_id, since, visit }: Removal,
  now: number,
): Promise<void> {
  const lately = ({ created_at }: { readonly created_at: number }) => created_at >= since;
  const record = (type: events.EventType, detail: string) =>
    events.record(trx, { type, user_id, detail, visit }, now, EVENTS_SECONDS);
  for (const { id, type, name } of (await secondFactors.list(trx, user_id)).filter(lately)) {
    if (type === 'totp') await credentials.remove(trx, { id, user_id, type });
    else await passkeys.remove(trx, { id, user_id });
    await record(type === 'totp' ? 'factor_removed' : 'passkey_removed', type === 'totp' ? type : name);
  }
  await factorsChanged(trx, user_id);
  for (const { id, provider_id } of (await federatedIdentities.listByUser(trx, user_id)).filter(lately)) {
    await federatedIdentities.remove(trx, id, user_id);
    await record('identity_unlinked', provider_id);
  }
}
