/** Messages of this server in tests: queueing one, the rows that there are, and what they say. */
import { onTestFinished, vi } from 'vitest';
import { type Letter, letterOf } from '../../src/mail/letter.js';
import type { Message } from '../../src/mail/messages.js';
import { openMail, queueMail } from '../../src/mail/queue.js';
import type { MailRow } from '../../src/store/mails.js';
import { statement } from '../../src/store/statement.js';
import { type IdpOptions, startIdp, type TestIdp } from './idp.js';
import { type MailServerOptions, startMailServer } from './mail_server.js';

const everyMail = statement<object, MailRow>((sql) => sql('mails').orderBy('created_at').orderBy('id'));

export const mailRows = (idp: TestIdp) => idp.db.all(everyMail, {});

/** A server with a mail server beside it. Only the test makes its senders look. */
export async function startWithMail(options: IdpOptions & { readonly server?: MailServerOptions } = {}) {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  const mail = await startMailServer(options.server);
  const settings = { SMTP_URL: mail.url, MAIL_FROM: 'Example <id@example.com>', ...options.settings };
  const idp = await startIdp({ ...options, settings });
  return { idp, mail };
}

/** Queues a notice to somebody, as the operator's doing. */
export function queueNotice(idp: TestIdp, email?: string, useless_at?: number): Promise<void> {
  return queueMessage(idp, { name: 'password_changed', from: null }, { email, useless_at });
}

/** Queues a message, in English. */
export async function queueMessage(
  idp: TestIdp,
  message: Message,
  {
    email = 'ada@example.com',
    useless_at,
  }: { readonly email?: string | undefined; readonly useless_at?: number | undefined } = {},
): Promise<void> {
  const post = { config: idp.config, ring: await idp.deps.keys.get() };
  const mail = { to: { email, zoneinfo: null, locale: null }, message };
  const until = useless_at === undefined ? {} : { useless_at };
  await idp.db.transaction((trx) => queueMail(trx, post, { ...mail, ...until }, idp.now()));
}

/** Every message whose body is still there, as it would be sent, the oldest first. */
export async function lettersOf(idp: TestIdp): Promise<readonly Letter[]> {
  const ring = await idp.deps.keys.get();
  return (await mailRows(idp)).flatMap((row) => {
    const mail = openMail(ring, row);
    return mail === undefined ? [] : [letterOf(idp.config, mail, row.created_at)];
  });
}

/** The path and query of the link in the newest message that has one. */
export async function linkIn(idp: TestIdp): Promise<string> {
  const links = (await lettersOf(idp)).flatMap(({ link }) => link ?? []);
  const { pathname, search } = new URL(links.at(-1) ?? '');
  return pathname + search;
}
