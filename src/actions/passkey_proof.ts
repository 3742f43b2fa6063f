/**
 * Proving who one is with a passkey. Nothing can be guessed here, so no account is ever closed to its passkeys (hardening row 15); what
 * is counted, per source, is the work of checking what is wrong.
 */
import type { Deps } from '../deps.js';
import { consumeChallenge, type OpenChallenge, openChallenge } from '../factors/passkey_challenge.js';
import { type Assertion, amrOf, UnknownPasskey, verifyAssertion } from '../factors/webauthn.js';
import { readAnswer } from '../factors/webauthn_answer.js';
import { relyingParty } from '../factors/webauthn_options.js';
import { reservePasskey } from '../limits/attempts.js';
import { giveBack } from '../limits/counters.js';
import { UserError } from '../oauth/errors.js';
import type { Trx } from '../store/db.js';
import * as events from '../store/events.js';
import * as passkeys from '../store/passkeys.js';
import { tooMany } from './password_proof.js';

export type PasskeyDeps = Pick<Deps, 'config' | 'db' | 'keys' | 'log'>;

export interface PasskeyAnswer {
  /** What the browser gave, as JSON. */
  readonly answer: string;
  /** The challenge as the form carries it. */
  readonly challenge: string;
  /** The digest of the browser's cookie. */
  readonly browser: string;
  /** The client's network. */
  readonly source: string;
  /** Who it must be; null where the passkey says who it is. Then it stands alone: it must have found out who is there. */
  readonly user_id: string | null;
}

/** A passkey that was right when it was checked. */
export interface ProvedPasskey {
  readonly passkey: passkeys.PasskeyRow;
  readonly challenge: OpenChallenge;
  readonly assertion: Assertion;
  /** What it proves, RFC 8176. */
  readonly amr: readonly string[];
  readonly key_hashes: readonly string[];
}

/**
 * Checks a passkey. Throws UserError `form_expired` (the challenge is not this browser's, or five minutes old), `wrong_credentials`,
 * `too_many_attempts`, or `not_allowed` where the issuer's host can have no passkeys.
 */
export async function provePasskey(
  deps: PasskeyDeps,
  { answer: text, challenge: sealed, browser, source, user_id }: PasskeyAnswer,
  now: number,
): Promise<ProvedPasskey> {
  const { config, db } = deps;
  const rp = relyingParty(config);
  if (rp === null) throw new UserError('not_allowed', 'passkeys.not_here');
  const ceremony = { kind: 'authentication', browser, user_id } as const;
  const challenge = openChallenge(await deps.keys.get(), sealed, ceremony, now);
  if (challenge === undefined) throw new UserError('form_expired', 'passkeys.expired');

  const reservation = await db.transaction((trx) => reservePasskey(trx, source, config, now));
  if (!reservation.allowed) throw tooMany(reservation);
  const answer = readAnswer(text, 'authentication');
  if ('refused' in answer) throw refuse(answer.refused);
  const passkey = await passkeys.findByCredential(db, answer.credential_id);
  if (passkey === undefined) throw new UnknownPasskey(answer.credential_id);
  if (user_id !== null && passkey.user_id !== user_id) throw refuse('it is another person’s');
  const assertion = await verifyAssertion(rp, answer, challenge.value, passkey);
  if ('refused' in assertion) throw refuse(assertion.refused);
  if (user_id === null && !(answer.user_handle !== null && assertion.user_verified))
    throw refuse('it did not find out who is there');
  const { key_hashes } = reservation;
  return { passkey, challenge, assertion, amr: amrOf(passkey, assertion), key_hashes };

  function refuse(reason: string): UserError {
    deps.log.info({ event: 'passkey_refused', source, reason }, 'a passkey was refused');
    return new UserError('wrong_credentials', 'passkeys.refused');
  }
}

/**
 * Settles a right passkey in the transaction of what it is for: its challenge is used up and its counter noted. Returns the error where
 * it does not count after all: to be thrown when the transaction is over, since what was noted of it stays.
 */
export async function settlePasskey(
  trx: Trx,
  { EVENTS_SECONDS }: Pick<Deps['config'], 'EVENTS_SECONDS'>,
  { passkey, challenge, assertion, key_hashes }: ProvedPasskey,
  now: number,
): Promise<UserError | null> {
  await giveBack(trx, key_hashes);
  if (!(await consumeChallenge(trx, challenge))) return new UserError('form_expired', 'passkeys.used');
  const { sign_count, backed_up } = assertion;
  if (await passkeys.use(trx, { id: passkey.id, sign_count, backed_up, now })) return null;
  // It was removed a moment ago; or its counter has not risen, so that there is a second one like it (WebAuthn §6.1.1).
  const { user_id, name } = passkey;
  await events.record(trx, { type: 'passkey_refused', user_id, detail: name }, now, EVENTS_SECONDS);
  return new UserError('wrong_credentials', 'passkeys.copied');
}
