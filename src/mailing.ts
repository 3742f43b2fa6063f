/** What follows from the settings on mail: the server that takes it, and what is done where there is none. Pure. */
import { isLoopbackHost } from './oauth/redirect_uri.js';
import { prefix, type Values } from './settings.js';

export interface Mailing {
  /** smtp: mail is sent · page: shown to developers at /dev/mail, on a loopback issuer · off: what needs mail is off. */
  readonly mail: 'smtp' | 'page' | 'off';
  readonly smtp: MailServer | undefined;
}

interface MailServer {
  readonly host: string;
  readonly port: number;
  /** implicit: from the first byte (RFC 8314) · required: by STARTTLS, or nothing is sent · optional: where the server offers it. */
  readonly tls: 'implicit' | 'required' | 'optional';
  readonly auth: { readonly user: string; readonly pass: string } | undefined;
  /** Where the name is '', the product's name is put in its place. */
  readonly from: { readonly name: string; readonly address: string };
}

type MailValues = Pick<
  Values,
  'ISSUER' | 'PRODUCT_NAME' | 'USER_REGISTRATION' | 'EMAIL_CODE' | 'SMTP_URL' | 'SMTP_TLS' | 'MAIL_FROM'
>;

/** Adds a sentence to `problems` for all that does not go together. */
export function mailingOf(values: MailValues, problems: string[]): Mailing {
  const { SMTP_URL, SMTP_TLS, MAIL_FROM, ISSUER } = values;
  if (SMTP_URL === undefined) {
    for (const [name, value] of Object.entries({ SMTP_TLS, MAIL_FROM }))
      if (value !== undefined)
        problems.push(`${prefix}${name} needs ${prefix}SMTP_URL: without, nothing is sent`);
    if (values.USER_REGISTRATION === 'open' && !ISSUER.startsWith('http:'))
      problems.push(
        `${prefix}USER_REGISTRATION open needs ${prefix}SMTP_URL: addresses are verified before there is an account`,
      );
    if (values.EMAIL_CODE === 'on' && !ISSUER.startsWith('http:'))
      problems.push(`${prefix}EMAIL_CODE on needs ${prefix}SMTP_URL: the codes are sent by mail`);
    return { mail: ISSUER.startsWith('http:') ? 'page' : 'off', smtp: undefined };
  }
  if (MAIL_FROM === undefined)
    problems.push(
      `${prefix}MAIL_FROM must be set where ${prefix}SMTP_URL is: the address that mail comes from`,
    );
  const url = new URL(SMTP_URL);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const implicit = url.protocol === 'smtps:';
  if (implicit && SMTP_TLS !== undefined)
    problems.push(`${prefix}SMTP_TLS is for smtp: with smtps: there is TLS from the first byte`);
  const start_tls = SMTP_TLS ?? (isLoopbackHost(url.hostname) ? 'optional' : 'required');
  return {
    mail: 'smtp',
    smtp: {
      host,
      port: Number(url.port || (implicit ? 465 : 587)),
      tls: implicit ? 'implicit' : start_tls,
      auth:
        url.username === ''
          ? undefined
          : { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) },
      from: senderOf(MAIL_FROM ?? ''),
    },
  };
}

/** What happens to mail, in a sentence for the operator. */
export function aboutMail({ mail, smtp, ISSUER }: Mailing & Pick<Values, 'ISSUER'>): string {
  if (smtp !== undefined) return `Mail is sent by ${smtp.host}, from ${smtp.from.address}.`;
  return mail === 'page'
    ? `Mail is shown at ${ISSUER}/dev/mail, on this machine alone, and sent to nobody: ${prefix}SMTP_URL is not set.`
    : `No mail is sent: ${prefix}SMTP_URL is not set. Nobody can set a new password by mail, or is told of changes to their account.`;
}

/** `Name <address>`, or an address alone. */
function senderOf(text: string): { readonly name: string; readonly address: string } {
  const [, name, address] = /^(.*?)\s*<([^<>]*)>$/.exec(text) ?? [];
  return { name: name?.replace(/^"(.*)"$/, '$1') ?? '', address: address ?? text };
}
