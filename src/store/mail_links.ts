/** Table mail_links: what a link in a mail is good for, once. A row holds the digest of its token alone. */
import type { Queryable, Trx } from './db.js';
import { statement } from './statement.js';

/** Each link is good for one thing: a token made for one purpose is nothing to another. */
export type LinkPurpose =
  | 'password_reset'
  | 'invitation'
  | 'email_change'
  | 'email_verification'
  | 'email_undo';

export interface MailLinkRow {
  /** SHA-256 of the token, which has 256 random bits. */
  token_hash: string;
  purpose: LinkPurpose;
  /** Null for an invitation. */
  user_id: string | null;
  /** The address that the link was sent to, or is about. */
  email: string;
  /** JSON, as its purpose has it. */
  detail: string | null;
  created_at: number;
  expires_at: number;
}

interface NewLink extends MailLinkRow {
  user_id: string;
}

const insertForUser = statement<NewLink>((sql, value) =>
  sql.raw(
    `insert into mail_links (token_hash, purpose, user_id, email, detail, created_at, expires_at)
    select cast(? as text), cast(? as text), users.id, cast(? as text), cast(? as text), cast(? as bigint), cast(? as bigint)
    from users where users.id = ? and users.disabled_at is null`,
    [
      ...[value.token_hash, value.purpose, value.email, value.detail, value.created_at, value.expires_at],
      value.user_id,
    ],
  ),
);

/** Keeps what a link is good for, if there is such a user and they may sign in: the same statement either way (hardening row 16). */
export async function insertFor(trx: Trx, link: NewLink): Promise<void> {
  await trx.run(insertForUser, link);
}

const insertInvitation = statement<Omit<MailLinkRow, 'user_id'>>((sql, value) =>
  sql('mail_links').insert({
    token_hash: value.token_hash,
    purpose: value.purpose,
    email: value.email,
    detail: value.detail,
    created_at: value.created_at,
    expires_at: value.expires_at,
  }),
);

/** Keeps what a link is good for that is nobody's yet: an invitation. */
export async function insert(trx: Trx, link: Omit<MailLinkRow, 'user_id'>): Promise<void> {
  await trx.run(insertInvitation, link);
}

const living = statement<{ token_hash: string; purpose: string; now: number }, MailLinkRow>((sql, value) =>
  sql('mail_links')
    .where({ token_hash: value.token_hash, purpose: value.purpose })
    .where('expires_at', '>', value.now),
);

/** What a link is good for; looking at it does not use it up. */
export function find(
  db: Queryable,
  token_hash: string,
  purpose: LinkPurpose,
  now: number,
): Promise<MailLinkRow | undefined> {
  return db.first(living, { token_hash, purpose, now });
}

const takeLink = statement<{ token_hash: string; purpose: string; now: number }, MailLinkRow>((sql, value) =>
  sql.raw('delete from mail_links where token_hash = ? and purpose = ? and expires_at > ? returning *', [
    ...[value.token_hash, value.purpose, value.now],
  ]),
);

/** Uses a link up. Undefined if it was used, has expired or is for something else: one statement, so that two have one winner. */
export function take(
  trx: Trx,
  token_hash: string,
  purpose: LinkPurpose,
  now: number,
): Promise<MailLinkRow | undefined> {
  return trx.first(takeLink, { token_hash, purpose, now });
}

const deleteOfUser = statement<{ user_id: string; purpose: string }>((sql, value) =>
  sql('mail_links').where({ user_id: value.user_id, purpose: value.purpose }).delete(),
);

/** Makes all links of a user for one purpose good for nothing. */
export async function removeOf(trx: Trx, user_id: string, purpose: LinkPurpose): Promise<void> {
  await trx.run(deleteOfUser, { user_id, purpose });
}
