/** Initial access tokens: who has one may register clients (RFC 7591 §3). Made by the operator, told once. */
import type { Deps } from '../deps.js';
import { OAuthError, UserError } from '../oauth/errors.js';
import { digest, newId, newSecret } from '../secrets.js';
import * as events from '../store/events.js';
import * as registrationTokens from '../store/registration_tokens.js';

type TokenDeps = Pick<Deps, 'config' | 'db'>;

export interface NewRegistrationToken {
  readonly row: registrationTokens.RegistrationTokenRow;
  /** 256 random bits. Told this once; stored as a digest. */
  readonly token: string;
}

export interface RegistrationTokenOptions {
  readonly note: string;
  readonly uses: number;
  readonly seconds: number;
}

/** Makes a token that is good for `uses` registrations in the next `seconds`. Throws UserError `invalid_input`. */
export async function addRegistrationToken(
  { config, db }: TokenDeps,
  { note, uses, seconds }: RegistrationTokenOptions,
  now: number,
): Promise<NewRegistrationToken> {
  if (!Number.isInteger(uses) || uses < 1 || uses > 1_000_000)
    throw new UserError('invalid_input', 'admin.uses_range');
  if (!Number.isInteger(seconds) || seconds < 60 || seconds > 4000 * 86_400)
    throw new UserError('invalid_input', 'admin.token_lifetime');
  if (note.length > 200) throw new UserError('invalid_input', 'admin.note_too_long');
  const token = newSecret();
  const row = {
    ...{ id: newId(), token_hash: digest(token), note, uses_left: uses },
    ...{ created_at: now, expires_at: now + seconds },
  };
  await db.transaction(async (trx) => {
    await registrationTokens.insert(trx, row);
    await events.record(
      trx,
      { type: 'registration_token_added', detail: row.id },
      now,
      config.EVENTS_SECONDS,
    );
  });
  return { row, token };
}

/** Clients that registered with it stay. Throws UserError `not_found`. */
export async function removeRegistrationToken(
  { config, db }: TokenDeps,
  id: string,
  now: number,
): Promise<void> {
  await db.transaction(async (trx) => {
    if (!(await registrationTokens.remove(trx, id)))
      throw new UserError('not_found', { key: 'admin.no_registration_token', values: { id } });
    await events.record(trx, { type: 'registration_token_removed', detail: id }, now, config.EVENTS_SECONDS);
  });
}

/** The token that a request brought. Throws `invalid_token` for one that is unknown, used up or expired. */
export async function requireRegistrationToken(
  { db }: Pick<Deps, 'db'>,
  token: string,
  now: number,
): Promise<registrationTokens.RegistrationTokenRow> {
  const row = await registrationTokens.find(db, digest(token), now);
  if (row === undefined) throw unusable();
  return row;
}

export function unusable(): OAuthError {
  return new OAuthError('invalid_token', 'the initial access token is unknown, used up or expired');
}
