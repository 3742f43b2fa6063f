/** What the links in mails about an address are good for: to confirm it, to put it in the place of another, to take that back. */
import type { Deps } from '../deps.js';
import { per_address_seconds } from '../limits/mails.js';
import { type Post, queueMail } from '../mail/queue.js';
import { UserError } from '../oauth/errors.js';
import { digest, newSecret } from '../secrets.js';
import * as credentials from '../store/credentials.js';
import type { Trx } from '../store/db.js';
import * as events from '../store/events.js';
import * as mailLinks from '../store/mail_links.js';
import * as users from '../store/users.js';
import { holdAddresses } from './addresses.js';
import { endSessionsOf } from './end_sessions.js';
import { removeNewWaysIn } from './new_ways_in.js';

const undo_seconds = 7 * 86_400;
const reset_seconds = per_address_seconds;
/** Whoever changes the address of another's account may have prepared it: a day, and the day that the link for the new address is good. */
const prepared_seconds = 2 * 86_400;

const purposes = ['email_change', 'email_verification', 'email_undo'] as const;

export interface EmailLink {
  readonly purpose: (typeof purposes)[number];
  /** The address that the account will have. */
  readonly email: string;
  readonly user: users.UserRow;
}

/** What a link is good for. Uses nothing up: mail scanners open links. Throws UserError `not_found` where it is good for nothing. */
export async function readEmailLink(
  { db }: Pick<Deps, 'db'>,
  token: string,
  now: number,
): Promise<EmailLink> {
  for (const purpose of purposes) {
    const link = await mailLinks.find(db, digest(token), purpose, now);
    const user = link && (await users.find(db, link.user_id ?? ''));
    if (link !== undefined && user !== undefined && user.disabled_at === null)
      return { purpose, email: link.email, user };
  }
  throw linkOver();
}

type LinkDeps = Pick<Deps, 'bell' | 'config' | 'db' | 'keys'>;
type LinkPost = Post & { readonly config: Pick<Deps['config'], 'EVENTS_SECONDS' | 'ISSUER'> };

interface Use extends EmailLink {
  /** When the link was made. */
  readonly made_at: number;
  readonly visit: events.Visit;
  readonly post: LinkPost;
}

/**
 * Does what a link is good for, once. Gives the token of a link to a new password where a change was taken back: whoever made it may know the
 * old one. Throws UserError: `not_found`, or `conflict` where the address is somebody else's by now.
 */
export async function useEmailLink(
  deps: LinkDeps,
  { token, visit }: { readonly token: string; readonly visit: events.Visit },
  now: number,
): Promise<{ readonly reset_token: string | null }> {
  const link = await readEmailLink(deps, token, now);
  const post = { config: deps.config, ring: await deps.keys.get() };
  const reset_token = await deps.db.transaction(async (trx) => {
    const taken = await mailLinks.take(trx, digest(token), link.purpose, now);
    if (taken === undefined) throw linkOver();
    const use: Use = { ...link, visit, post, made_at: taken.created_at };
    await done[link.purpose](trx, use, now);
    return link.purpose === 'email_undo' ? newPasswordLink(trx, use, now) : null;
  });
  deps.bell.ring();
  return { reset_token };
}

const done: Readonly<Record<EmailLink['purpose'], (trx: Trx, use: Use, now: number) => Promise<void>>> = {
  async email_verification(trx, use, now) {
    const { user, email } = use;
    if (!(await users.verifyEmail(trx, user.id, users.canonicalEmail(email), now))) throw linkOver();
    await record(trx, use, 'email_verified', now);
  },

  async email_change(trx, use, now) {
    const { user, email, visit, post } = use;
    await changeEmail(trx, use, now);
    await record(trx, use, 'email_changed', now);
    const token = newSecret();
    const expires_at = now + undo_seconds;
    const link = `${post.config.ISSUER}/email-link?token=${token}`;
    await mailLinks.insertFor(trx, {
      ...{ token_hash: digest(token), purpose: 'email_undo', user_id: user.id, email: user.email },
      ...{ detail: null, created_at: now, expires_at },
    });
    const message = { name: 'email_changed', email, link, from: visit } as const;
    await queueMail(trx, post, { to: user, message }, now); // to the old address
  },

  async email_undo(trx, use, now) {
    await changeEmail(trx, use, now);
    await record(trx, use, 'email_change_taken_back', now);
    const { user, visit, post, made_at } = use;
    const { id } = user;
    // Whoever changed it may have changed it more than once, and know the password.
    for (const purpose of ['email_undo', 'email_verification', 'password_reset'] as const)
      await mailLinks.removeOf(trx, id, purpose);
    await credentials.removeAll(trx, id, 'password');
    const removal = { user_id: id, since: made_at - prepared_seconds, visit };
    await removeNewWaysIn(trx, post.config, removal, now);
    await endSessionsOf(trx, id, now);
  },
};

/** The address becomes that of the link, which showed that it is theirs. Throws UserError `conflict` where somebody else has it. */
async function changeEmail(trx: Trx, { user, email }: Use, now: number): Promise<void> {
  await holdAddresses(trx, now);
  const address = { email, email_canonical: users.canonicalEmail(email) };
  if (!(await users.changeEmail(trx, user.id, address, now))) throw new UserError('conflict', 'email.taken');
}

async function record(trx: Trx, { user, visit, post }: Use, type: events.EventType, now: number) {
  await events.record(trx, { type, user_id: user.id, visit }, now, post.config.EVENTS_SECONDS);
}

/** The owner is at the old address again: there they choose a new password at once. */
async function newPasswordLink(trx: Trx, { user, email }: Use, now: number): Promise<string> {
  const token = newSecret();
  await mailLinks.insertFor(trx, {
    ...{ token_hash: digest(token), purpose: 'password_reset', user_id: user.id },
    ...{ email: users.canonicalEmail(email), detail: null, created_at: now, expires_at: now + reset_seconds },
  });
  return token;
}

function linkOver(): UserError {
  return new UserError('not_found', 'email.link_over');
}
