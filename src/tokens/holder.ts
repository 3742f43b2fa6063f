/** Whose an access token is, as the database says now: a revocation is seen at once. */
import type { KeyRing } from '../keys/keys.js';
import * as authorizations from '../store/authorizations.js';
import type { Caches } from '../store/caches.js';
import type { Db } from '../store/db.js';
import type { UserRow } from '../store/users.js';
import type { AccessToken } from './access_token.js';
import { isCurrent } from './status.js';
import { subjectOf } from './subject.js';

interface HolderDeps {
  readonly db: Db;
  readonly caches: Caches;
  readonly ring: KeyRing;
}

/** The user of an access token that was not revoked, neither by itself nor with what it hangs on. Undefined for any other. */
export async function findHolder(deps: HolderDeps, token: AccessToken): Promise<UserRow | undefined> {
  const holder = await authorizations.findHolder(deps.db, token.authorization_id);
  if (holder === undefined || !isCurrent(token.status, holder)) return undefined;
  return holder.id === token.sub || (await isKnownAs(deps, token, holder.id)) ? holder : undefined;
}

/** Whether the token's client knows the user by its pairwise `sub`. */
async function isKnownAs({ caches, ring }: HolderDeps, token: AccessToken, user_id: string) {
  const client = await caches.client(token.client_id);
  return client !== undefined && subjectOf(ring, client, user_id) === token.sub;
}
