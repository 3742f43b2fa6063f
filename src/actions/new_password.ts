/** A new password in the place of the old one, of which its owner is told. */
import type { Deps } from '../deps.js';
import { checkNewPassword, type NewPasswordDeps, type PasswordOwner } from '../factors/new_password.js';
import { hashPassword } from '../factors/password.js';
import { type Post, queueMail } from '../mail/queue.js';
import { newId } from '../secrets.js';
import * as credentials from '../store/credentials.js';
import type { Trx } from '../store/db.js';
import * as events from '../store/events.js';
import * as mailLinks from '../store/mail_links.js';
import type { UserRow } from '../store/users.js';

export type HashDeps = NewPasswordDeps & Pick<Deps, 'hashing'>;

/** The hash of a password that is good enough. Slow, so before the transaction. Throws UserError `invalid_input` or `busy`. */
export async function newHash(deps: HashDeps, password: string, owner: PasswordOwner): Promise<string> {
  return hashPassword(deps.hashing, deps.config, await checkNewPassword(deps, password, owner));
}

interface Replacement {
  readonly owner: UserRow;
  /** From `newHash`. */
  readonly secret: string;
  /** With what and from where; null where the operator did it. */
  readonly visit: events.Visit | null;
  /** The session in which its owner did it themselves. */
  readonly session_id?: string;
  readonly post: Post & { readonly config: Pick<Deps['config'], 'EVENTS_SECONDS'> };
}

/** With every link to reset the old one. What it ends beside that is the caller's. Ring the bell afterwards. */
export async function replacePassword(
  trx: Trx,
  { owner, secret, visit, session_id, post }: Replacement,
  now: number,
): Promise<credentials.NewCredential> {
  const user_id = owner.id;
  const row = { id: newId(), user_id, type: 'password', secret, created_at: now, updated_at: now } as const;
  await credentials.removeAll(trx, user_id, 'password');
  await credentials.insert(trx, row);
  await mailLinks.removeOf(trx, user_id, 'password_reset');
  const event = { type: 'password_changed', user_id, session_id, visit: visit ?? undefined } as const;
  await events.record(trx, event, now, post.config.EVENTS_SECONDS);
  await queueMail(trx, post, { to: owner, message: { name: 'password_changed', from: visit } }, now);
  return row;
}
