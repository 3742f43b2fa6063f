/**
 * The table of what an operator may set at start: name, parser, default, sentence. The README's copy is compared with it by a test.
 */
import { domainToASCII } from 'node:url';
import { z } from 'zod';
import { languages } from './languages/catalogues.js';
import {
  cidrs,
  flag,
  isIssuer,
  isOrigin,
  isScope,
  isSmtpUrl,
  list,
  profileClaimList,
  responseTypeList,
  seconds,
  whole,
} from './setting_kinds.js';

export const prefix = 'SALLYPORT_';

export interface Setting {
  readonly schema: z.ZodType;
  /** As it would be written in the environment; undefined where nothing is set. */
  readonly fallback: string | undefined;
  readonly about: string;
  readonly secret?: true;
}

const day = 86_400;

export const settings = {
  ISSUER: {
    schema: z
      .string()
      .refine(
        isIssuer,
        'must be an https URL without query, fragment, user name or trailing slash; http is for loopback hosts alone',
      ),
    fallback: 'http://localhost:4000',
    about: 'The address people and applications reach this server at; the `iss` of every token.',
  },
  HOST: {
    schema: z.string().min(1).optional(),
    fallback: undefined,
    about:
      'The address to listen on. Default: loopback for a loopback http issuer, all addresses for an https one.',
  },
  PORT: {
    schema: whole(0, 65_535).optional(),
    fallback: undefined,
    about:
      'The port to listen on. Default: the port of the issuer where it is a loopback one or TLS_CERT is set, else 4000, for a proxy.',
  },
  TLS_CERT: {
    schema: z.string().min(1).optional(),
    fallback: undefined,
    about:
      'A PEM file with the certificate of the issuer’s host and those up to its CA: the server then speaks https itself. A renewed one is taken within a minute, or on SIGHUP.',
  },
  TLS_KEY: {
    schema: z.string().min(1).optional(),
    fallback: undefined,
    about: 'The PEM file of its private key.',
  },
  MTLS_PORT: {
    schema: whole(0, 65_535).optional(),
    fallback: undefined,
    about:
      'With TLS_CERT: a further port at which clients are asked for a certificate (RFC 8705), apart from the one that browsers use.',
  },
  MTLS_ORIGIN: {
    schema: z.string().refine(isOrigin, 'must be an origin like https://mtls.id.example.com').optional(),
    fallback: undefined,
    about:
      'The origin of the endpoints that ask for a certificate, as discovery names them. Default: the issuer’s host with MTLS_PORT. For a proxy that asks for certificates at another host or port.',
  },
  CLIENT_CERT_HEADER: {
    schema: z
      .string()
      .toLowerCase()
      .regex(/^[a-z0-9-]+$/, 'must be the name of a header')
      .optional(),
    fallback: undefined,
    about:
      'The header in which a proxy of TRUSTED_PROXIES passes the client’s certificate on: `Client-Cert` (RFC 9440), or another name with URL-encoded PEM, as nginx has it in `$ssl_client_escaped_cert`.',
  },
  CLIENT_CA: {
    schema: z.string().min(1).optional(),
    fallback: undefined,
    about: 'A PEM file with the authorities whose certificates clients may sign in with (`tls_client_auth`).',
  },
  DATABASE_URL: {
    schema: z
      .string()
      .refine(
        (text) => /^(sqlite:.|postgres(ql)?:\/\/)/.test(text),
        'must start with sqlite: or postgres://',
      ),
    fallback: 'sqlite:data/sallyport.sqlite',
    about: '`sqlite:path`, `sqlite:/absolute/path` or `postgres://user:password@host/database`.',
    secret: true,
  },
  KEYS_DIR: {
    schema: z.string().min(1),
    fallback: 'keys/',
    about: 'The folder of the master key, made at the first start with mode 0700.',
  },
  MASTER_KEY: {
    schema: list
      .refine(
        (keys) => keys.length > 0 && keys.every((key) => /^[A-Za-z0-9+/_-]{43}=?$/.test(key)),
        'must be 32 bytes as base64url; several are separated by commas, the first one encrypts',
      )
      .optional(),
    fallback: undefined,
    about:
      'The master key itself, 32 bytes as base64url, in place of a file in KEYS_DIR. Several, separated by commas, while moving to a new one.',
    secret: true,
  },
  TRUSTED_PROXIES: {
    schema: cidrs,
    fallback: '',
    about:
      'Addresses or networks of the proxies whose X-Forwarded-For and CLIENT_CERT_HEADER are believed, separated by commas.',
  },
  OUTBOUND_ALLOWED_HOSTS: {
    schema: list.transform((hosts) => hosts.map((host) => host.toLowerCase())),
    fallback: '',
    about:
      'Host names the server may fetch from, and send logout tokens to, although they resolve to private addresses or their URLs are http, separated by commas.',
  },
  OUTBOUND_CA: {
    schema: z.string().min(1).optional(),
    fallback: undefined,
    about:
      'A PEM file with further authorities that the server trusts where it fetches, beside those of Node.js.',
  },
  BREACHED_PASSWORDS_URL: {
    schema: z.url({ protocol: /^https?$/, error: 'must be an https URL' }).optional(),
    fallback: undefined,
    about:
      'A service that is asked about new passwords by the first five hex digits of their SHA-1, like https://api.pwnedpasswords.com/range/. Default: the list that comes with the server alone.',
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
  LOG_LEVEL: {
    schema: z.enum(['silent', 'fatal', 'error', 'warn', 'info', 'debug']),
    fallback: 'info',
    about: '`silent`, `fatal`, `error`, `warn`, `info` or `debug`. The log is JSON lines on standard error.',
  },
  PRODUCT_NAME: {
    schema: z.string().trim().min(1).max(60),
    fallback: 'Sallyport',
    about: 'The name on the pages.',
  },
  VIEWS_DIR: {
    schema: z.string().min(1).optional(),
    fallback: undefined,
    about:
      'A folder with views of your own: a file there stands in for the one of the same name in `views/`, `login.ejs` or `_parts/foot.ejs`.',
  },
  DEFAULT_LANGUAGE: {
    schema: z.enum(languages),
    fallback: 'en',
    about:
      'The language of the pages for those whose browser names none of ours: `en`, `de`, `fr`, `es`, `ja` or `ar`.',
  },
  RESPONSE_TYPES: {
    schema: responseTypeList,
    fallback: 'code',
    about:
      'The response types that applications may be registered with, separated by commas: `code` and, for those that cannot do without, `none`, `id_token`, `id_token token`, `code id_token`, `code token`, `code id_token token`.',
  },
  PROFILE_EDITABLE: {
    schema: profileClaimList,
    fallback: 'name given_name family_name nickname birthdate zoneinfo locale',
    about:
      'The claims of their profile that people may change themselves: some of `name`, `given_name`, `middle_name`, `family_name`, `nickname`, `preferred_username`, `profile`, `picture`, `website`, `gender`, `birthdate`, `zoneinfo`, `locale`, `phone_number`; or `none`.',
  },
  ACCOUNT_DELETION_GRACE_SECONDS: {
    schema: seconds(0, 400 * day),
    fallback: String(14 * day),
    about:
      'How long a person who deleted their account can still sign in and keep it. Until then no application gets anything of it. 0: it is deleted at once.',
  },
  GEOIP_DB: {
    schema: z.string().min(1).optional(),
    fallback: undefined,
    about:
      'A MaxMind DB file (`.mmdb`) of kind City or Country: people then see, beside the network address, roughly where their devices signed in. Read anew every hour.',
  },
  CODE_SECONDS: {
    schema: seconds(5, 600),
    fallback: '60',
    about: 'How long an authorization code can be redeemed.',
  },
  PUSHED_REQUEST_SECONDS: {
    schema: seconds(5, 599),
    fallback: '60',
    about: 'How long a pushed authorization request waits for its browser.',
  },
  PUSHED_REQUESTS_PER_CLIENT: {
    schema: whole(1, 1_000_000),
    fallback: '10000',
    about:
      'How many pushed authorization requests of one application may wait at a time; one more is answered 429.',
  },
  REQUIRE_PUSHED_REQUESTS: {
    schema: flag,
    fallback: 'false',
    about: '`true`: every application pushes its authorization requests (RFC 9126).',
  },
  REQUIRE_SIGNED_REQUESTS: {
    schema: flag,
    fallback: 'false',
    about: '`true`: every application signs its authorization requests (RFC 9101).',
  },
  REQUEST_URI: {
    schema: z.enum(['off', 'registered']),
    fallback: 'off',
    about:
      '`registered`: request objects may be fetched from the `request_uris` that an application is registered with. Not where REQUIRE_PUSHED_REQUESTS is `true`.',
  },
  ACCESS_TOKEN_SECONDS: {
    schema: seconds(30, day),
    fallback: '600',
    about: 'How long an access token is valid.',
  },
  ID_TOKEN_SECONDS: { schema: seconds(30, day), fallback: '600', about: 'How long an ID token is valid.' },
  REFRESH_TOKEN_SECONDS: {
    schema: seconds(60, 400 * day),
    fallback: String(30 * day),
    about: 'How long a family of refresh tokens lives, however often it is used.',
  },
  SESSION_IDLE_SECONDS: {
    schema: seconds(60, 400 * day),
    fallback: String(day),
    about: 'How long a session lives without being used.',
  },
  SESSION_MAX_SECONDS: {
    schema: seconds(60, 400 * day),
    fallback: String(30 * day),
    about: 'How long a session lives at most.',
  },
  KEY_ROTATION_SECONDS: {
    schema: seconds(3600, 800 * day),
    fallback: String(90 * day),
    about: 'How old the signing keys and the sealing keys may become before they are replaced.',
  },
  JWKS_MAX_AGE_SECONDS: {
    schema: seconds(1, day),
    fallback: '300',
    about:
      'How long applications may cache the JWK Set. A new key is published twice as long before it signs.',
  },
  STATUS_LIST_TTL_SECONDS: {
    schema: seconds(1, 3600),
    fallback: '15',
    about:
      'How long applications that ask for the status list may wait before they ask again: so late they see a revocation.',
  },
  EVENTS_SECONDS: {
    schema: seconds(day, 4000 * day),
    fallback: String(400 * day),
    about: 'How long the audit trail is kept.',
  },
  CLIENT_REGISTRATION: {
    schema: z.enum(['closed', 'token', 'open']),
    fallback: 'closed',
    about:
      'Who may register applications over the network (RFC 7591): `closed`, nobody; `token`, who has an initial access token (`clients registration-token add`); `open`, everybody.',
  },
  CLIENT_REGISTRATION_SCOPE: {
    schema: z.string().max(2048).refine(isScope, 'must be scopes separated by spaces'),
    fallback: 'openid profile email address phone offline_access',
    about: 'The scopes that an application can register itself for.',
  },
  CLIENT_REGISTRATIONS_PER_SOURCE: {
    schema: whole(1, 1_000_000),
    fallback: '20',
    about:
      'How often one source (/24, /64) may try to register, or to change, an application that came without a token in an hour.',
  },
  CLIENT_REGISTRATIONS_MOST: {
    schema: whole(1, 1_000_000),
    fallback: '1000',
    about: 'How many applications that registered themselves there may be at a time.',
  },
  CLIENT_REGISTRATION_UNUSED_SECONDS: {
    schema: seconds(2 * day, 4000 * day),
    fallback: String(90 * day),
    about: 'After how long without use an application that registered itself is removed.',
  },
  ARGON2_MEMORY_KIB: {
    schema: whole(7168, 1_048_576),
    fallback: '19456',
    about: 'argon2id: memory for one password hash, KiB.',
  },
  ARGON2_PASSES: { schema: whole(1, 20), fallback: '2', about: 'argon2id: passes over that memory.' },
  ARGON2_LANES: { schema: whole(1, 16), fallback: '1', about: 'argon2id: parallel lanes.' },
  HASHING_SLOTS: {
    schema: whole(1, 64).optional(),
    fallback: undefined,
    about: 'How many passwords are hashed at the same time. Default: one for each core.',
  },
  HASHING_QUEUE: {
    schema: whole(1, 100_000).optional(),
    fallback: undefined,
    about: 'How many sign-ins may wait to be hashed before the answer is 503. Default: 64 for each slot.',
  },
  SECOND_FACTOR: {
    schema: z.enum(['off', 'optional', 'required']),
    fallback: 'optional',
    about:
      'Whether people sign in with a second factor: `off`, never; `optional`, who has set one up; `required`, everybody, and who has none sets one up at the sign-in.',
  },
  SECOND_FACTOR_ROLES: {
    schema: list,
    fallback: '',
    about: 'Roles whose people need a second factor in any case, separated by commas: `admin`, say.',
  },
  SECOND_FACTOR_GRACE_SECONDS: {
    schema: seconds(0, 400 * day),
    fallback: '0',
    about:
      'How long a person may put off setting up a second factor that is required, from the first time they are asked.',
  },
  REMEMBER_DEVICE_SECONDS: {
    schema: seconds(0, 400 * day),
    fallback: String(30 * day),
    about:
      'How long a browser is spared the second factor of a person who wants it so. `0`: never. It ends with a new password, and when a second factor is added or removed.',
  },
  ATTEMPTS_PER_ACCOUNT: {
    schema: whole(3, 1_000_000),
    fallback: '10',
    about: 'Failed passwords for one account from one source (/24, /64) in 15 minutes.',
  },
  ATTEMPTS_PER_SOURCE: {
    schema: whole(10, 1_000_000),
    fallback: '100',
    about: 'Failed passwords from one source in 15 minutes.',
  },
  ATTEMPTS_UNKNOWN_SOURCES: {
    schema: whole(5, 1_000_000),
    fallback: '50',
    about: 'Failed passwords for one account over all unknown browsers in 15 minutes.',
  },
  USER_REGISTRATION: {
    schema: z.enum(['closed', 'invitation', 'open']),
    fallback: 'closed',
    about:
      'How people come by accounts beside `users add`: `closed`, not at all; `invitation`, whom the operator invites (`users invite`); `open`, everybody with an email address, which needs SMTP_URL.',
  },
  USER_REGISTRATION_DOMAINS: {
    schema: list.transform((domains) => domains.map((domain) => domainToASCII(domain.toLowerCase()))),
    fallback: '',
    about:
      'The domains that addresses may have where people register, or change theirs, themselves: separated by commas, each exactly. Default: any.',
  },
  EMAIL_EDITABLE: {
    schema: flag,
    fallback: 'true',
    about: '`false`: people do not change the email address of their account themselves.',
  },
  MAILS_PER_SOURCE: {
    schema: whole(1, 1_000_000),
    fallback: '20',
    about: 'How many mails (new password, new account) one source (/24, /64) may ask for in an hour.',
  },
  MAILS_PER_ADDRESS: {
    schema: whole(1, 1_000_000),
    fallback: '5',
    about: 'How many such mails one address is sent in an hour.',
  },
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof settings;
/** What the parsers give. */
export type Values = { readonly [Name in SettingName]: z.output<(typeof settings)[Name]['schema']> };

export function settingNames(): readonly SettingName[] {
  return Object.keys(settings) as SettingName[]; // the keys of a constant table
}
