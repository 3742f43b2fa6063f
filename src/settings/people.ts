/** What people may do about their accounts, and how they prove who they are. */
import { z } from 'zod';
import { domains, flag, isServiceUrl, list, profileClaimList, seconds, whole } from '../setting_kinds.js';
import type { Setting } from './setting.js';

const day = 86_400;

export const people = {
  USER_REGISTRATION: {
    schema: z.enum(['closed', 'invitation', 'open']),
    fallback: 'closed',
    about:
      'How people come by accounts beside `users add`: `closed`, not at all; `invitation`, whom the operator invites (`users invite`); `open`, everybody with an email address, which needs SMTP_URL.',
  },
  USER_REGISTRATION_DOMAINS: {
    schema: domains,
    fallback: '',
    about:
      'The domains that addresses may have where people register, or change theirs, themselves: separated by commas, each exactly. Default: any.',
  },
  EMAIL_EDITABLE: {
    schema: flag,
    fallback: 'true',
    about: '`false`: people do not change the email address of their account themselves.',
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
  BREACHED_PASSWORDS_URL: {
    schema: z
      .string()
      .refine(isServiceUrl, 'must be an https URL without user name, query or fragment')
      .optional(),
    fallback: undefined,
    about:
      'A service that is asked about new passwords by the first five hex digits of their SHA-1, like https://api.pwnedpasswords.com/range/. Default: the list that comes with the server alone.',
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
  EMAIL_CODE: {
    schema: z.enum(['off', 'on']),
    fallback: 'off',
    about:
      '`on`: people who need a second factor and have none get a code by mail at the sign-in, where their address is verified, in place of setting one up. Needs SMTP_URL.',
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
  MAILS_PER_SOURCE: {
    schema: whole(1, 1_000_000),
    fallback: '20',
    about: 'How many mails (new password, new account) one source (/24, /64) may ask for in an hour.',
  },
  MAILS_PER_ADDRESS_AND_SOURCE: {
    schema: whole(1, 1_000_000),
    fallback: '3',
    about: 'How many such mails of one kind one source may have sent to one address in half an hour.',
  },
  MAILS_PER_ADDRESS: {
    schema: whole(1, 1_000_000),
    fallback: '10',
    about: 'How many such mails of one kind one address is sent in half an hour, whoever asks.',
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
} as const satisfies Readonly<Record<string, Setting>>;
