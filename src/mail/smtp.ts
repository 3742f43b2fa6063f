/**
 * Hands letters to the operator's mail server: RFC 5321, over TLS whose certificate is checked (RFC 3207, RFC 8314). Addresses and headers
 * are encoded by nodemailer, so that no value ends one header and begins another.
 */
import { rootCertificates } from 'node:tls';
import type { NodemailerError } from 'nodemailer';
import type { Config } from '../config.js';
import { domainOf, isDeliverable, mailboxOf } from './address.js';
import type { Letter } from './letter.js';

/** Why a letter was not taken: for the log and the operator. */
export class MailError extends Error {
  /** Whether the same letter would be refused again. */
  readonly permanent: boolean;
  constructor(message: string, permanent: boolean, options?: ErrorOptions) {
    super(message, options);
    this.name = 'MailError';
    this.permanent = permanent;
  }
}

export interface Mailer {
  /** Hands a letter over; `id` names it, so that one that is sent twice is seen to be the same. Throws MailError. */
  send(letter: Letter, id: string, now: number, signal: AbortSignal): Promise<void>;
}

type Smtp = NonNullable<Config['smtp']>;

/** From connecting to the last word of the server. */
const timeout_ms = 30_000;

/** The way to the mail server. The library is loaded here, by the first letter: whoever sends none does without. */
async function openTransport({ host, port, tls, auth }: Smtp, outbound_ca: readonly string[]) {
  const { createTransport } = await import('nodemailer');
  const ca = outbound_ca.length === 0 ? undefined : [...rootCertificates, ...outbound_ca];
  return createTransport({
    ...{ host, port, secure: tls === 'implicit', requireTLS: tls === 'required' },
    ...(auth !== undefined && { auth: { ...auth } }),
    tls: { minVersion: 'TLSv1.2', ...(ca !== undefined && { ca }) },
    ...{
      connectionTimeout: 10_000,
      greetingTimeout: 10_000,
      socketTimeout: 20_000,
      socketCloseTimeout: 1000,
    },
    ...{ disableFileAccess: true, disableUrlAccess: true },
  });
}

/** What sends mail. Null where no SMTP_URL is set. */
export function createMailer(config: Pick<Config, 'smtp' | 'outbound_ca'>): Mailer | null {
  const { smtp } = config;
  if (smtp === undefined) return null;
  const { from } = smtp;
  let transport: ReturnType<typeof openTransport> | undefined;
  const domain = from.address.slice(from.address.lastIndexOf('@') + 1);

  return {
    async send({ to, product, subject, text, html }, id, now, signal) {
      if (!isDeliverable(to) || domainOf(to) === '')
        throw new MailError('the address cannot be written to', true);
      try {
        transport ??= openTransport(smtp, config.outbound_ca);
        await (await transport).sendMail({
          from: { ...from, name: from.name || product },
          ...{ to: { name: '', address: mailboxOf(to) }, subject, text, html },
          envelope: { from: from.address, to: [mailboxOf(to)] },
          messageId: `<${id}@${domain}>`,
          date: new Date(now * 1000),
          headers: { 'Auto-Submitted': 'auto-generated' }, // RFC 3834 §5: nobody's absence note answers it
          signal: AbortSignal.any([signal, AbortSignal.timeout(timeout_ms)]),
        });
      } catch (cause) {
        throw mailError(cause as NodemailerError);
      }
    },
  };
}

/**
 * What the server refuses for good (5xx) about this recipient or this message is refused for good. A password or a sender that it does
 * not like is the operator's to set right, so the letter waits.
 */
function mailError(cause: NodemailerError): MailError {
  const { code = 'unknown', responseCode, command } = cause;
  const about_letter = command === 'RCPT TO' || command === 'DATA';
  if (responseCode !== undefined) {
    const answer = `the mail server answered ${responseCode} to ${command ?? code}`;
    return new MailError(answer, about_letter && cause.permanent === true, { cause });
  }
  if (code === 'EABORT')
    return new MailError('no complete answer of the mail server in time', false, { cause });
  return new MailError(`the mail server cannot be reached: ${cause.originalCode ?? code}`, false, { cause });
}
