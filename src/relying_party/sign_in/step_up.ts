/**
 * A stronger or younger sign-in, where an API asks for one: its challenge becomes the way to this application's own login, which
 * demands it of the provider. OAuth 2.0 Step Up Authentication Challenge Protocol, RFC 9470 §3 and §4.
 */

import { SignInError } from './errors.js';
import { queryOf, single } from './http.js';
import { localPath } from './return_to.js';
import type { Settings } from './settings.js';

/** What a sign-in shall be like. */
export interface Stronger {
  /** Separated by spaces, the one that is liked best first. */
  readonly acr_values?: string;
  /** Seconds since the person signed in, as the parameter has it. */
  readonly max_age?: string;
}

const longest_challenge = 8192;

/**
 * Where to send the browser after an API answered with this WWW-Authenticate header: the path of the login with what is asked for, which
 * leads back to `return_to`, a path of this app. Null where the challenge does not ask for another sign-in: then that would not help.
 */
export function stepUpPath(
  settings: Pick<Settings, 'paths' | 'origin' | 'home'>,
  challenge: string | null,
  return_to: string,
): string | null {
  if (challenge === null || challenge.length > longest_challenge) return null;
  if (parameterOf(challenge, 'error') !== 'insufficient_user_authentication') return null;
  const acr_values = parameterOf(challenge, 'acr_values');
  const max_age = parameterOf(challenge, 'max_age');
  if (acr_values === undefined && max_age === undefined) return null;
  const query = new URLSearchParams({
    return_to: localPath(return_to, settings.origin) ?? settings.home,
    ...(acr_values !== undefined && { acr_values }),
    ...(max_age !== undefined && { max_age }),
  });
  return `${settings.paths.login}?${query}`;
}

/** A parameter of a challenge, quoted or as a token (RFC 9110 §11.2). */
function parameterOf(challenge: string, name: string): string | undefined {
  const pairs = challenge.matchAll(/([a-z_]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))/gi);
  for (const [, key, quoted, token] of pairs)
    if (key?.toLowerCase() === name) return quoted?.replaceAll(/\\(.)/g, '$1') ?? token;
  return undefined;
}

/** What the query of the login asks for. Throws SignInError `request_invalid` where that is malformed. */
export function readStronger(request: Request): Stronger {
  const query = queryOf(request);
  const acr_values = single(query, 'acr_values');
  const max_age = single(query, 'max_age');
  if (acr_values !== null && !/^[\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+)*$/.test(acr_values))
    throw new SignInError('request_invalid', 'The parameter acr_values is none of OpenID Connect.');
  if (max_age !== null && !/^[0-9]{1,10}$/.test(max_age))
    throw new SignInError('request_invalid', 'The parameter max_age is no number of seconds.');
  return { ...(acr_values !== null && { acr_values }), ...(max_age !== null && { max_age }) };
}
