/** Puts messages into the outbox, sealed, in the transaction of what they tell of; jobs/mails.ts sends them. Decisions 9. */
import type { Config } from '../config.js';
import type { Deps } from '../deps.js';
import type { Language } from '../languages/catalogues.js';
import { firstOfOurs } from '../languages/tags.js';
import { newId } from '../secrets.js';
import type { Trx } from '../store/db.js';
import * as mails from '../store/mails.js';
import * as users from '../store/users.js';
import type { Mail } from './letter.js';
import type { Message, Recipient } from './messages.js';

/** The keys of this moment: `await deps.keys.get()`, before the transaction. */
export type Ring = Pick<Awaited<ReturnType<Deps['keys']['get']>>, 'seal' | 'open'>;

export interface Post {
  readonly config: Pick<Config, 'DEFAULT_LANGUAGE' | 'mail'>;
  readonly ring: Ring;
}

export interface NewMail {
  readonly to: Recipient;
  readonly message: Message;
  /** A user's id: it is queued if there is such a user and they may sign in. For answers that must not tell whether there is. */
  readonly only_for?: string;
  /** Of the page that it comes from: for people whose own language is not known. */
  readonly language?: Language;
  /** Whole seconds: from when on it would be of no use, its link or code having expired. */
  readonly useless_at?: number;
}

/** A message that could not be delivered for so long is given up. */
const patience_seconds = 86_400;
/** How long it is kept what became of it. */
const keep_seconds = 7 * 86_400;

/**
 * Queues a message to a person; it leaves when the transaction is committed and the bell is rung (`deps.bell.ring()`). Does nothing
 * where this server sends no mail (`config.mail` is `off`). A message with a link is not sent any more after `useless_at`, when its
 * link expires; any other is given up after a day.
 */
export async function queueMail(trx: Trx, { config, ring }: Post, mail: NewMail, now: number): Promise<void> {
  if (config.mail === 'off') return;
  const id = newId();
  const { email: to, zoneinfo: zone, locale } = mail.to;
  const own = locale === null ? undefined : firstOfOurs([locale]);
  const language = own ?? mail.language ?? config.DEFAULT_LANGUAGE;
  const sealed: Mail = { to, language, zone, message: mail.message };
  const row = {
    id,
    name: mail.message.name,
    body: ring.seal('outbox', Buffer.from(JSON.stringify(sealed)), contextOf(id)),
    created_at: now,
    useless_at: Math.min(mail.useless_at ?? Number.POSITIVE_INFINITY, now + patience_seconds),
    expires_at: now + keep_seconds,
  };
  if (mail.only_for === undefined) await mails.insert(trx, row);
  else await mails.insertFor(trx, row, mail.only_for);
}

interface ToUser extends Pick<NewMail, 'message' | 'language'> {
  readonly user_id: string;
}

/** The same for a user by their id, to tell them of what was done to their account. Does nothing where there is no such user (any more). */
export async function notifyUser(
  trx: Trx,
  post: Post,
  { user_id, ...mail }: ToUser,
  now: number,
): Promise<void> {
  const to = post.config.mail === 'off' ? undefined : await users.find(trx, user_id);
  if (to !== undefined) await queueMail(trx, post, { ...mail, to }, now);
}

/** What a row says. Undefined where its body is gone or cannot be opened. */
export function openMail(ring: Ring, row: Pick<mails.MailRow, 'id' | 'body'>): Mail | undefined {
  if (row.body === null) return undefined;
  const plain = ring.open('outbox', row.body, contextOf(row.id));
  return plain && (JSON.parse(plain.toString()) as Mail); // sealed above, so it is one
}

function contextOf(id: string): string {
  return `mails ${id}`;
}
