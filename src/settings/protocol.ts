/** What applications may ask for, and how long things live. */
import { z } from 'zod';
import { flag, isScope, responseTypeList, seconds, whole } from '../setting_kinds.js';
import type { Setting } from './setting.js';

const day = 86_400;

export const protocol = {
  RESPONSE_TYPES: {
    schema: responseTypeList,
    fallback: 'code',
    about:
      'The response types that applications may be registered with, separated by commas: `code` and, for those that cannot do without, `none`, `id_token`, `id_token token`, `code id_token`, `code token`, `code id_token token`.',
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
  CLIENT_REGISTRATION_ASSERTIONS: {
    schema: whole(1, 1_000_000),
    fallback: '3600',
    about:
      'How many JWTs (`private_key_jwt`, `client_secret_jwt`) an application that came without a token may authenticate with in an hour: each is remembered until it expires.',
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
} as const satisfies Readonly<Record<string, Setting>>;
