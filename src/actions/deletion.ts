/**
 * A person deletes their account. For a time of grace (ACCOUNT_DELETION_GRACE_SECONDS) nobody gets anything of it, and its owner can
 * sign in to keep it; then a job removes it.
 */
import type { Config } from '../config.js';
import type { Deps } from '../deps.js';
import { notifyUser, type Post } from '../mail/queue.js';
import { UserError } from '../oauth/errors.js';
import type { Trx } from '../store/db.js';
import * as deletions from '../store/deletions.js';
import * as events from '../store/events.js';
import type { LiveSession } from '../store/sessions.js';
import * as users from '../store/users.js';
import { endSessionsOf } from './end_sessions.js';
import { removeHeld } from './users.js';

export type DeletionDeps = Pick<Deps, 'bell' | 'config' | 'db' | 'keys' | 'log'>;
type DeletionPost = Post & { readonly config: Pick<Config, 'EVENTS_SECONDS'> };

/**
 * Signs a person out everywhere, takes back all that was given to applications, and has the account deleted when the time of grace is
 * over; at once where there is none. Throws UserError `not_allowed` for the last administrator: nobody could look after the server.
 */
export async function requestDeletion(
  deps: DeletionDeps,
  { user_id, roles }: Pick<LiveSession, 'user_id' | 'roles'>,
  visit: events.Visit,
  now: number,
): Promise<void> {
  const { ACCOUNT_DELETION_GRACE_SECONDS: grace_seconds, EVENTS_SECONDS } = deps.config;
  const user = { id: user_id, is_administrator: users.isAdministrator({ roles }) };
  const deletes_at = now + grace_seconds;
  const post = await postOf(deps);
  await deps.db.transaction(async (trx) => {
    if (!(await deletions.insert(trx, user, deletes_at, now))) throw await refusal(trx, user_id);
    await events.record(trx, { type: 'deletion_requested', user_id, visit }, now, EVENTS_SECONDS);
    if (grace_seconds === 0) return removeAndTell(trx, post, user_id, now);
    await endSessionsOf(trx, user_id, now);
    await notifyUser(
      trx,
      post,
      { user_id, message: { name: 'deletion_asked', from: visit, deletes_at } },
      now,
    );
  });
  deps.bell.ring();
  deps.log.info({ event: 'deletion_requested', user_id }, 'an account is to be deleted');
}

async function postOf({ config, keys }: Pick<DeletionDeps, 'config' | 'keys'>): Promise<DeletionPost> {
  return { config, ring: await keys.get() };
}

/** The last message goes out after the account. */
async function removeAndTell(trx: Trx, post: DeletionPost, user_id: string, now: number): Promise<void> {
  await notifyUser(trx, post, { user_id, message: { name: 'deleted' } }, now);
  await removeHeld(trx, post.config, user_id, now);
}

async function refusal(trx: Trx, user_id: string): Promise<UserError> {
  const user = await users.find(trx, user_id);
  const is_last = user !== undefined && user.deletes_at === null && user.disabled_at === null;
  return is_last
    ? new UserError('not_allowed', 'account.last_administrator')
    : new UserError('form_expired', 'common.form_expired'); // another tab was faster
}

/** The person keeps their account. False where its time has come already, or nobody asked for its deletion. */
export async function keepAccount(
  deps: DeletionDeps,
  user_id: string,
  visit: events.Visit,
  now: number,
): Promise<boolean> {
  const post = await postOf(deps);
  const kept = await deps.db.transaction(async (trx) => {
    if (!(await deletions.remove(trx, user_id, now))) return false;
    const event = { type: 'deletion_cancelled', user_id, visit } as const;
    await events.record(trx, event, now, deps.config.EVENTS_SECONDS);
    await notifyUser(trx, post, { user_id, message: { name: 'deletion_cancelled', from: visit } }, now);
    return true;
  });
  if (!kept) return false;
  deps.bell.ring();
  deps.log.info({ event: 'deletion_cancelled', user_id }, 'an account is kept');
  return true;
}

/** Removes the accounts whose time has come, a hundred at most. Returns how many. For a job. */
export async function removeDueAccounts(deps: DeletionDeps, now: number): Promise<number> {
  const post = await postOf(deps);
  let removed = 0;
  for (const user_id of await deletions.listDue(deps.db, now)) {
    const gone = await deps.db.transaction(async (trx) => {
      if (!(await deletions.hold(trx, user_id, now))) return false; // kept, or removed by another process, meanwhile
      await removeAndTell(trx, post, user_id, now);
      return true;
    });
    if (gone) removed += 1;
  }
  if (removed > 0) deps.bell.ring();
  return removed;
}
