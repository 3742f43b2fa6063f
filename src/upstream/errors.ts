/** Why nobody could be signed in with another provider: what the person is told follows from the problem, the cause is for the log. */

/** Each with the HTTP status of its page. */
export const upstreamProblems = {
  /** The answer belongs to nothing that this browser began a short while ago, or it was used before. */
  unknown: 400,
  /** The person did not want to. */
  cancelled: 400,
  /** The provider said no. */
  refused: 400,
  /** Its answer contradicts itself, is another's (RFC 9207), or its tokens are not what was asked for. */
  invalid: 400,
  unreachable: 503,
  /** It was asked to have the person prove anew who they are, and did not. */
  not_fresh: 403,
  /** What is to be taken there and back is too long for an address. */
  too_long: 413,
} as const;

export type UpstreamProblem = keyof typeof upstreamProblems;

export class UpstreamError extends Error {
  override readonly name = 'UpstreamError';
  readonly problem: UpstreamProblem;

  constructor(problem: UpstreamProblem, message: string, options?: ErrorOptions) {
    super(message, options);
    this.problem = problem;
  }
}
