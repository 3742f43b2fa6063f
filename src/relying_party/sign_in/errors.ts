/** What goes wrong while signing in: one class, a code for programs and a sentence for people. */

/** The HTTP status of each code. */
const statuses = {
  /** The request itself cannot be understood: its body, its method or a parameter. */
  request_invalid: 400,
  method_not_allowed: 405,
  /** The answer belongs to no sign-in that this browser began, or its cookies are gone. */
  sign_in_unknown: 400,
  sign_in_expired: 400,
  /** The answer was used before. */
  sign_in_used: 400,
  /** The provider said no; `error` is its code (RFC 6749 §4.1.2.1). */
  provider_refused: 400,
  /** The answer contradicts itself or comes from another issuer (RFC 9207), or its tokens are not what was asked for. */
  answer_invalid: 400,
  /** The provider refused to redeem the code; `error` is its code (RFC 6749 §5.2). */
  code_refused: 400,
  provider_unreachable: 503,
  /** A sign-out that another site asked for. */
  cross_site: 403,
  /** A logout token or a front-channel request that is not from the provider. */
  logout_invalid: 400,
} as const;

export type SignInErrorCode = keyof typeof statuses;

export interface SignInErrorOptions extends ErrorOptions {
  /** The error code of the provider, where it gave one. */
  readonly error?: string | undefined;
  /** The methods there are, for `method_not_allowed`. */
  readonly allow?: string | undefined;
  /** Where the person wanted to go: a path of the app. */
  readonly return_to?: string;
}

/** `message` is a sentence that may be shown to the person. `cause` is for debugging: it may hold what the provider sent. */
export class SignInError extends Error {
  override readonly name = 'SignInError';
  readonly code: SignInErrorCode;
  /** The HTTP status it is answered with. */
  readonly status: number;
  readonly error: string | undefined;
  readonly return_to: string | undefined;
  readonly allow: string | undefined;

  constructor(code: SignInErrorCode, message: string, options: SignInErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.status = statuses[code];
    this.error = options.error;
    this.return_to = options.return_to;
    this.allow = options.allow;
  }
}
