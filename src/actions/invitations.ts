/** The operator invites somebody to make an account: by a link that is good once, for seven days. */
import type { Deps } from '../deps.js';
import { isDeliverable } from '../mail/address.js';
import { queueMail } from '../mail/queue.js';
import { UserError } from '../oauth/errors.js';
import { digest, newSecret } from '../secrets.js';
import * as mailLinks from '../store/mail_links.js';
import * as users from '../store/users.js';
import { newUserRow } from './users.js';

const lives_seconds = 7 * 86_400;

export interface Invitation {
  readonly email: string;
  /** What they are called; '' for them to say. */
  readonly name: string;
  readonly roles: readonly string[];
}

export interface Invited {
  readonly email: string;
  readonly link: string;
  readonly expires_at: number;
  /** Whether it was sent by mail as well. */
  readonly sent: boolean;
}

/** Throws UserError: `invalid_input`, `conflict` where there is such a user, `not_allowed` where USER_REGISTRATION is `closed`. */
export async function inviteUser(
  deps: Pick<Deps, 'bell' | 'config' | 'db' | 'keys'>,
  { email, name, roles }: Invitation,
  now: number,
): Promise<Invited> {
  const { config, db } = deps;
  if (config.USER_REGISTRATION === 'closed') throw new UserError('not_allowed', 'admin.registration_closed');
  const claims = name === '' ? {} : { name };
  const row = newUserRow({ email, email_verified: false, roles, claims, password: null }, now); // checks all of it
  if (!isDeliverable(row.email)) throw new UserError('invalid_input', 'register.email_invalid', 'email');
  if ((await users.findByEmail(db, row.email_canonical)) !== undefined)
    throw new UserError('conflict', { key: 'admin.user_exists', values: { email: row.email } }, 'email');
  const token = newSecret();
  const link = `${config.ISSUER}/create-account?token=${token}`;
  const expires_at = now + lives_seconds;
  const post = { config, ring: await deps.keys.get() };
  const detail = JSON.stringify({ name, roles: row.roles === '' ? [] : row.roles.split(' ') });
  await db.transaction(async (trx) => {
    await mailLinks.insert(trx, {
      ...{ token_hash: digest(token), purpose: 'invitation', email: row.email, detail },
      ...{ created_at: now, expires_at },
    });
    const message = { name: 'invitation', link, from: null } as const;
    await queueMail(trx, post, { to: row, message, useless_at: expires_at }, now);
  });
  deps.bell.ring();
  return { email: row.email, link, expires_at, sent: config.mail === 'smtp' };
}
