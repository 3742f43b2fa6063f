/** What pages and mails look like, and how mails leave. */
import { z } from 'zod';
import { languages } from '../languages/catalogues.js';
import { isSmtpUrl } from '../setting_kinds.js';
import type { Setting } from './setting.js';

export const pages = {
  PRODUCT_NAME: {
    schema: z.string().trim().min(1).max(60),
    fallback: 'Sallyport',
    about: 'The name on the pages.',
  },
  VIEWS_DIR: {
    schema: z.string().min(1).optional(),
    fallback: undefined,
    about:
      'A folder with views of your own: a file there stands in for the one of the same name in `views/`, `login.ejs`, `_parts/foot.ejs` or `mail/message.html.ejs`.',
  },
  DEFAULT_LANGUAGE: {
    schema: z.enum(languages),
    fallback: 'en',
    about:
      'The language of the pages for those whose browser names none of ours: `en`, `de`, `fr`, `es`, `ja` or `ar`.',
  },
  SMTP_URL: {
    schema: z
      .string()
      .refine(isSmtpUrl, 'must be smtp://user:password@host:port or smtps://…, percent-encoded')
      .optional(),
    fallback: undefined,
    about:
      'The mail server, `smtp://user:password@host:587` or `smtps://…`. Without one, mail is shown at `/dev/mail` on a loopback issuer, and on any other what needs mail is off.',
    secret: true,
  },
  SMTP_TLS: {
    schema: z.enum(['required', 'optional']).optional(),
    fallback: undefined,
    about:
      'With `smtp:`, whether mail is sent without TLS where the server does not offer it. Default: `required`; `optional` for a server on this machine. OUTBOUND_CA is trusted here too.',
  },
  MAIL_FROM: {
    schema: z
      .string()
      .max(320)
      .regex(
        /^(?:[^<>\p{Cc}]*<[^\s@<>,;"\p{Cc}]+@[^\s@<>,;"\p{Cc}]+>|[^\s@<>,;"\p{Cc}]+@[^\s@<>,;"\p{Cc}]+)$/u,
        'must be an address, or a name and an address like Example <id@example.com>',
      )
      .optional(),
    fallback: undefined,
    about: 'The address that mail comes from, or `Name <address>`. Must be set where SMTP_URL is.',
  },
} as const satisfies Readonly<Record<string, Setting>>;
