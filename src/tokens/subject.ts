/**
 * What a client knows a user as: the same everywhere, in ID tokens, access tokens, userinfo, introspection, logout tokens and hints
 * (protocol.md IDT-14, IDT-15). Public: the user's id. Pairwise: a MAC of it that differs from sector to sector, so that two
 * applications cannot tell that they see the same person; and so is the session. OpenID Connect Core §8.
 */
import type { KeyRing } from '../keys/keys.js';
import type { ClientMetadata } from '../oauth/client_metadata.js';
import { sectorOf } from '../oauth/client_rules.js';

type SubjectClient = Pick<ClientMetadata, 'subject_type' | 'sector_identifier_uri' | 'redirect_uris'>;

/** The `sub` of a user for a client. The salt never changes, and neither does this, as long as the client's sector stays. */
export function subjectOf(ring: KeyRing, client: SubjectClient, user_id: string): string {
  const sector = sectorOf(client);
  return sector === null ? user_id : ring.mac('pairwise', `${sector} ${user_id}`);
}

/**
 * What a client knows a session as, the `sid` of its tokens: the session's id or, where its subjects are pairwise, a MAC that differs
 * from sector to sector. Else two applications could tell by it that they see the same person.
 */
export function sidFor(ring: KeyRing, client: SubjectClient, session_id: string): string {
  const sector = sectorOf(client);
  return sector === null ? session_id : ring.mac('pairwise', `sid ${sector} ${session_id}`);
}

/** Whether two clients know a user by the same `sub`: then a hint that was made for the one is good for the other. */
export function shareSubjects(one: SubjectClient, other: SubjectClient): boolean {
  return sectorOf(one) === sectorOf(other);
}
