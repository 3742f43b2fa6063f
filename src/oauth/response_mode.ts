/**
 * The response_mode of a request: one of response_modes/, by itself or with all parameters in one signed JWT (`.jwt`). OAuth 2.0
 * Multiple Response Type Encoding Practices §2.1; JWT Secured Authorization Response Mode §2.3.
 */
import { OAuthError } from './errors.js';
import * as registry from './response_modes/index.js';
import { isFrontChannel } from './response_types.js';

const carriers = Object.values(registry);
export type Carrier = (typeof carriers)[number]['response_mode'];
export type ResponseMode = Carrier | `${Carrier}.jwt`;

const plain: readonly Carrier[] = carriers.map((mode) => mode.response_mode);
const modes: readonly ResponseMode[] = [...plain, ...plain.map((mode) => `${mode}.jwt` as const)];

/** Every value that a request may have. */
export const responseModesSupported: readonly string[] = ['jwt', ...modes];

/** The mode without its `.jwt`. */
export function carrierOf(mode: ResponseMode): Carrier {
  return mode.replace('.jwt', '') as Carrier; // what is before it is one
}

/** Whether the parameters are in a signed JWT. */
export function isJwtMode(mode: ResponseMode): boolean {
  return mode.endsWith('.jwt');
}

/**
 * The mode that is asked for, or the default of the response type. Throws `invalid_request` for one that there is not, and where a
 * token would be in a query that everybody can read. `encrypted` is whether the client's JWTs of this kind are.
 */
export function chooseResponseMode(
  asked: string | undefined,
  response_type: string,
  encrypted: boolean,
): ResponseMode {
  const fallback = defaultMode(response_type);
  if (asked === undefined) return fallback;
  if (asked === 'jwt') return `${fallback}.jwt`;
  const mode = modes.find((one) => one === asked);
  if (mode === undefined)
    throw new OAuthError(
      'invalid_request',
      `response_mode must be one of ${responseModesSupported.join(', ')}`,
    );
  const readable = carrierOf(mode) === 'query' && !(isJwtMode(mode) && encrypted);
  if (readable && isFrontChannel(response_type))
    throw new OAuthError('invalid_request', `response_mode ${mode} cannot carry tokens`);
  return mode;
}

/** The mode in which a request with a response_mode that cannot be is told so. */
export function modeForRefusal(asked: string | undefined, response_type: string): ResponseMode {
  const fallback = defaultMode(response_type);
  return asked === 'query.jwt' ? `${fallback}.jwt` : fallback;
}

function defaultMode(response_type: string): 'fragment' | 'query' {
  return isFrontChannel(response_type) ? 'fragment' : 'query';
}
