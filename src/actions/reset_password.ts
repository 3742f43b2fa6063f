/**
 * A new password by mail. The link is good once, for half an hour and for this alone; its token is stored as a digest, and it leads to the
 * configured issuer whatever a request says. Whether an address has an account makes no difference to the answer or to the statements
 * that are run. It replaces the password, nothing else: a second factor is asked for all the same. Hardening rows 12, 14 and 16.
 */
import type { Deps } from '../deps.js';
import type { Language } from '../languages/catalogues.js';
import { sourceOf } from '../limits/attempts.js';
import { countMail, per_address_seconds } from '../limits/mails.js';
import { queueMail } from '../mail/queue.js';
import { UserError } from '../oauth/errors.js';
import { digest, newSecret } from '../secrets.js';
import type { Visit } from '../store/events.js';
import * as mailLinks from '../store/mail_links.js';
import * as users from '../store/users.js';
import { endSessionsOf } from './end_sessions.js';
import { type HashDeps, newHash, replacePassword } from './new_password.js';

/** As long as mails to one address are counted: who gets no further one has a link that is good. */
const lives_seconds = per_address_seconds;

export type ResetDeps = HashDeps & Pick<Deps, 'bell' | 'db' | 'keys'>;

export interface ResetAsked {
  readonly email: string;
  readonly visit: Visit;
  readonly language: Language;
  /** A query to be added to the link: the request that the person came with; '' where there is none. */
  readonly more: string;
}

/** Sends a link to whoever has this address. Throws UserError `too_many_attempts` where the source asks too often, and nothing else. */
export async function askForReset(
  deps: Pick<Deps, 'bell' | 'config' | 'db' | 'keys'>,
  { email, visit, language, more }: ResetAsked,
  now: number,
): Promise<void> {
  const { config, db } = deps;
  const address = users.canonicalEmail(email);
  if (!(await countMail(db, config, { kind: 'password', source: sourceOf(visit.address), address }, now)))
    return;
  const user = await users.findByEmail(db, address);
  const user_id = user?.id ?? '';
  const token = newSecret();
  const post = { config, ring: await deps.keys.get() };
  const expires_at = now + lives_seconds;
  const link = `${config.ISSUER}/reset-password?token=${token}${more}`;
  const to = user ?? { email: address, zoneinfo: null, locale: null };
  const mail = { to, language, only_for: user_id, useless_at: expires_at };
  await db.transaction(async (trx) => {
    await mailLinks.insertFor(trx, {
      ...{ token_hash: digest(token), purpose: 'password_reset', user_id, email: address, detail: null },
      ...{ created_at: now, expires_at },
    });
    await queueMail(trx, post, { ...mail, message: { name: 'password_reset', link, from: visit } }, now);
  });
  deps.bell.ring();
}

/** Whose password a link resets. Throws UserError `not_found` where it does not any more. Uses nothing up: mail scanners open links. */
export async function ownerOfReset(
  { db }: Pick<Deps, 'db'>,
  token: string,
  now: number,
): Promise<users.UserRow> {
  const link = await mailLinks.find(db, digest(token), 'password_reset', now);
  const owner = link && (await users.find(db, link.user_id ?? ''));
  if (owner === undefined || owner.disabled_at !== null || owner.email_canonical !== link?.email)
    throw linkOver();
  return owner;
}

/**
 * Sets the password by a link. All sessions end, families are revoked, and the owner is told. Whoever opened it has the address: it counts
 * as verified. Throws UserError: `not_found`, `invalid_input` or `busy`.
 */
export async function resetPassword(
  deps: ResetDeps,
  { token, password, visit }: { readonly token: string; readonly password: string; readonly visit: Visit },
  now: number,
): Promise<void> {
  const owner = await ownerOfReset(deps, token, now); // first: nobody has passwords hashed without a link
  const secret = await newHash(deps, password, owner);
  const post = { config: deps.config, ring: await deps.keys.get() };
  await deps.db.transaction(async (trx) => {
    const link = await mailLinks.take(trx, digest(token), 'password_reset', now);
    if (link?.user_id !== owner.id || !(await users.verifyEmail(trx, owner.id, link.email, now)))
      throw linkOver();
    await replacePassword(trx, { owner, secret, visit, post }, now);
    await endSessionsOf(trx, owner.id, now);
  });
  deps.bell.ring();
}

function linkOver(): UserError {
  return new UserError('not_found', 'reset.link_over');
}
