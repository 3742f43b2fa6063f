/** Whose an access token is, as the database says now: a revocation is seen at once. */
import * as authorizations from '../store/authorizations.js';
import type { Db } from '../store/db.js';
import type { UserRow } from '../store/users.js';
import type { AccessToken } from './access_token.js';
import { isCurrent } from './status.js';

/** The user of an access token that was not revoked, neither by itself nor with what it hangs on. Undefined for any other. */
export async function findHolder(db: Db, token: AccessToken): Promise<UserRow | undefined> {
  const holder = await authorizations.findHolder(db, token.authorization_id);
  return holder?.id === token.sub && isCurrent(token.status, holder) ? holder : undefined;
}
