/**
 * Why a request to an API is refused, ready for WWW-Authenticate. RFC 6750 §3; RFC 9470 §3 (step up); RFC 9728 §5.1
 * (resource_metadata).
 */

type Refusal = readonly [code: TokenErrorCode, status: number];

/** The codes a client is told. All but the last are registered for the Bearer scheme. */
export type TokenErrorCode =
  | 'invalid_request'
  | 'invalid_token'
  | 'insufficient_scope'
  | 'insufficient_user_authentication'
  | 'temporarily_unavailable';

const invalid: Refusal = ['invalid_token', 401];
const insufficient: Refusal = ['insufficient_scope', 403];
const stepUp: Refusal = ['insufficient_user_authentication', 401];
const unavailable: Refusal = ['temporarily_unavailable', 503];

/** Everything that can be wrong, by name, with what the client is told of it. */
const refusals = {
  missing: invalid,
  authorization_header: ['invalid_request', 400],
  malformed: invalid,
  algorithm: invalid,
  type: invalid,
  crit: invalid,
  unknown_key: invalid,
  signature: invalid,
  issuer: invalid,
  audience: invalid,
  expired: invalid,
  not_yet_valid: invalid,
  claims: invalid,
  confirmation: invalid,
  status_uri: invalid,
  status_index: invalid,
  revoked: invalid,
  scope: insufficient,
  role: insufficient,
  max_age: stepUp,
  acr: stepUp,
  keys_unavailable: unavailable,
  status_unavailable: unavailable,
} as const satisfies Record<string, Refusal>;

/** What exactly is wrong: for the application's own decisions and its log. */
export type TokenErrorReason = keyof typeof refusals;

/** What the request needed, as the challenge tells it. */
export interface Needed {
  readonly scope?: readonly string[];
  /** Seconds since the person last proved who they are. */
  readonly max_age?: number;
  readonly acr_values?: readonly string[];
}

export interface ChallengeOptions {
  readonly realm?: string;
  /** Where the protected resource metadata is (RFC 9728 §5.1). */
  readonly resource_metadata?: string;
}

interface TokenErrorOptions {
  readonly needed?: Needed;
  readonly cause?: unknown;
}

/** A request that is refused: `code` and `status` are for the client, `reason` is for the application. */
export class TokenError extends Error {
  readonly code: TokenErrorCode;
  readonly reason: TokenErrorReason;
  /** The HTTP status: 400, 401, 403 or 503. */
  readonly status: number;
  readonly description: string;
  readonly needed: Needed;
  /** Seconds after which the same request may be tried again; for 503 alone. */
  readonly retry_after: number | undefined;

  constructor(reason: TokenErrorReason, description: string, options: TokenErrorOptions = {}) {
    super(`${reason}: ${description}`, { cause: options.cause });
    const [code, status] = refusals[reason];
    this.name = 'TokenError';
    this.code = code;
    this.reason = reason;
    this.status = status;
    this.description = description;
    this.needed = options.needed ?? {};
    this.retry_after = status === 503 ? 5 : undefined;
  }

  /**
   * The value of WWW-Authenticate. Undefined for 503, which says nothing about the token. Where no token was sent the challenge
   * names no error (RFC 6750 §3.1).
   */
  challenge(options: ChallengeOptions = {}): string | undefined {
    if (this.status === 503) return undefined;
    const { scope, max_age, acr_values } = this.needed;
    const error = this.reason !== 'missing' && {
      error: this.code,
      error_description: this.description,
      scope: scope?.join(' '),
      acr_values: acr_values?.join(' '),
      max_age: max_age?.toString(),
    };
    const parameters = Object.entries({
      realm: options.realm,
      ...error,
      resource_metadata: options.resource_metadata,
    }).flatMap(([name, value]) => (value === undefined ? [] : [`${name}="${printable(value)}"`]));
    return ['Bearer', parameters.join(', ')].join(' ').trimEnd();
  }
}

/** Drops what a quoted parameter may not hold: %x20-21 / %x23-5B / %x5D-7E. RFC 6750 §3. */
function printable(text: string): string {
  return text.replaceAll(/["\\]/g, "'").replaceAll(/[^\x20-\x7e]/g, '?');
}
