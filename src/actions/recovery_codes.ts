/**
 * New recovery codes for the owner of a session. They are shown before they count: the page holds them sealed, and only when the person
 * says that they kept them do they take the place of the old ones.
 */
import type { Deps } from '../deps.js';
import { newRecoveryCodes, replaceRecoveryCodes } from '../factors/recovery_code.js';
import type { KeyRing } from '../keys/keys.js';
import { notifyUser } from '../mail/queue.js';
import { UserError } from '../oauth/errors.js';
import * as events from '../store/events.js';
import * as secondFactors from '../store/second_factors.js';

const context = 'recovery codes';
const lives_seconds = 900;

interface Sealed {
  readonly user_id: string;
  readonly codes: readonly string[];
  readonly expires_at: number;
}

export interface CodesOffer {
  readonly codes: readonly string[];
  /** As the form carries them. */
  readonly sealed: string;
}

export function offerCodes(ring: KeyRing, user_id: string, now: number): CodesOffer {
  const codes = newRecoveryCodes();
  const noted: Sealed = { user_id, codes, expires_at: now + lives_seconds };
  return { codes, sealed: ring.seal('seal', Buffer.from(JSON.stringify(noted)), context) };
}

/** The codes of a form. Throws UserError `form_expired` for one that is too old, or another person's. */
export function openCodes(ring: KeyRing, sealed: string, user_id: string, now: number): readonly string[] {
  const plain = ring.open('seal', sealed, context);
  const held = plain && (JSON.parse(plain.toString()) as Sealed); // offerCodes wrote it
  if (held?.user_id !== user_id || held.expires_at <= now)
    throw new UserError('form_expired', 'factor.enrolment_expired');
  return held.codes;
}

/** Puts the codes of a form in the place of those there were. Throws as `openCodes`, and `not_allowed` without a second factor. */
export async function keepCodes(
  deps: Pick<Deps, 'bell' | 'config' | 'db'> & { readonly ring: KeyRing },
  {
    user_id,
    sealed,
    visit,
  }: { readonly user_id: string; readonly sealed: string; readonly visit: events.Visit },
  now: number,
): Promise<void> {
  const { config, ring } = deps;
  const codes = openCodes(ring, sealed, user_id, now);
  await deps.db.transaction(async (trx) => {
    if ((await secondFactors.list(trx, user_id)).length === 0)
      throw new UserError('not_allowed', 'factor.codes_need_factor');
    await replaceRecoveryCodes(trx, ring, { user_id, codes }, now);
    await events.record(trx, { type: 'recovery_codes_made', user_id, visit }, now, config.EVENTS_SECONDS);
    const message = { name: 'recovery_codes_made', from: visit } as const;
    await notifyUser(trx, { config, ring }, { user_id, message }, now);
  });
  deps.bell.ring();
}
