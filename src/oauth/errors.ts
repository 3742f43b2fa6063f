/**
 * What a client is told (OAuthError) and what a person is told (UserError). Where it is caught decides how it is told.
 * RFC 6749 §4.1.2.1 and §5.2; RFC 6750 §3.1; OpenID Connect Core §3.1.2.6; RFC 8707 §2; RFC 7591 §3.2.2.
 */
import type { Key } from '../languages/keys.js';
import { inEnglish, type Message, type Text, type Values } from '../languages/translate.js';
import { type ErrorCode, errorCodes, errorUri } from './error_codes.js';

/** A failed check, for the developer who integrates an application: shown only to those who may see it. */
export interface FailedCheck {
  readonly check: string;
  readonly received: string | null;
  readonly expected: readonly string[];
}

interface OAuthErrorOptions {
  readonly cause?: unknown;
  readonly status?: number;
  readonly failed?: FailedCheck;
  /** Seconds after which the same request may be tried again: the Retry-After header. */
  readonly retry_after?: number;
}

/**
 * What a client is told. `description` is for its developers, names the parameter, and is reduced to the characters
 * that RFC 6749 §4.1.2.1 allows; `cause` goes to the log alone.
 */
export class OAuthError extends Error {
  readonly code: ErrorCode;
  readonly description: string;
  readonly status: number;
  readonly failed: FailedCheck | undefined;
  readonly retry_after: number | undefined;

  constructor(code: ErrorCode, description: string, options: OAuthErrorOptions = {}) {
    super(`${code}: ${description}`, { cause: options.cause });
    this.name = 'OAuthError';
    this.code = code;
    this.description = printable(description);
    this.status = options.status ?? errorCodes[code].status;
    this.failed = options.failed;
    this.retry_after = options.retry_after;
  }
}

/** The error object that a client gets, as JSON or as parameters of its redirect. RFC 6749 §4.1.2.1 and §5.2. */
export function errorObject(issuer: string, { code, description }: Pick<OAuthError, 'code' | 'description'>) {
  return { error: code, error_description: description, error_uri: errorUri(issuer, code) };
}

/**
 * What a person may have done wrong: a text of the catalogues, so that a page says it in the reader's language (`t(error)`), with its
 * English sentence as `message` for programs, the command line and the log. `field` is the form's field that it belongs to.
 */
export class UserError extends Error implements Message {
  readonly code: UserErrorCode;
  readonly key: Key;
  readonly values: Values | undefined;
  readonly field: string | null;
  readonly status: number;
  readonly retry_after: number | undefined;

  constructor(code: UserErrorCode, text: Text, field: string | null = null, retry_after?: number) {
    const message = typeof text === 'string' ? { key: text } : text;
    super(inEnglish(message));
    this.name = 'UserError';
    this.code = code;
    this.key = message.key;
    this.values = message.values;
    this.field = field;
    this.status = userStatusOf[code];
    this.retry_after = retry_after;
  }
}

const userStatusOf = {
  invalid_input: 400,
  wrong_credentials: 400,
  form_expired: 403,
  not_allowed: 403,
  not_found: 404,
  conflict: 409,
  too_many_attempts: 429,
  busy: 503,
} as const;

export type UserErrorCode = keyof typeof userStatusOf;

/** Drops what error_description may not hold: %x20-21 / %x23-5B / %x5D-7E. RFC 6749 §5.2. */
function printable(text: string): string {
  return text
    .replaceAll('§', 'section ')
    .replaceAll(/["\\“”’]/g, "'")
    .replaceAll(/[^\x20-\x7e]/g, '?');
}
