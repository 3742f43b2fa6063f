/** The authorization that a user's codes and tokens hang on: found, or made with a status of its own. Decisions 7. */
import type { Deps } from '../deps.js';
import { isToldLogout } from '../oauth/client_rules.js';
import { OAuthError } from '../oauth/errors.js';
import { newId } from '../secrets.js';
import * as authorizations from '../store/authorizations.js';
import type { Client } from '../store/clients.js';
import type { Trx } from '../store/db.js';
import type { SessionRow } from '../store/sessions.js';
import { isCurrent } from '../tokens/status.js';

export interface Authorized {
  readonly client: Client;
  readonly session: SessionRow;
  /** Whether it outlives the session. */
  readonly offline: boolean;
  /** When the last token that comes of it will have expired. */
  readonly last_token_expires_at: number;
}

/**
 * Runs `work` in one transaction with the living authorization of this user and client, in this session or offline. It is kept until
 * its last token has expired, and as long as the session can last for a client that is told its end. Throws `login_required` where
 * the session ended at this very moment: nothing is given out for it any more.
 */
export async function withAuthorization<T>(
  { db, statusIndices }: Pick<Deps, 'db' | 'statusIndices'>,
  { client, session, offline, last_token_expires_at }: Authorized,
  now: number,
  work: (trx: Trx, authorization: authorizations.UpsertedAuthorization) => Promise<T>,
): Promise<T> {
  const { id: sid, user_id, absolute_expires_at } = session;
  const status = await statusIndices.reserve(now);
  const row = {
    ...{ id: newId(), user_id, client_id: client.client_id, sid, session_id: offline ? '' : sid },
    created_at: now,
    expires_at: isToldLogout(client)
      ? Math.max(last_token_expires_at, absolute_expires_at)
      : last_token_expires_at,
    ...status,
  };
  const { result, is_new } = await db.transaction(async (trx) => {
    const found = await authorizations.upsert(trx, row, now);
    if (found === undefined) throw new OAuthError('login_required', 'the session has just ended');
    return { result: await work(trx, found), is_new: isCurrent(status, found) };
  });
  if (!is_new) statusIndices.giveBack(status);
  return result;
}
