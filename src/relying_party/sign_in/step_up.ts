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
  const asking = challengesOf(challenge).find(
    (one) => one.get('error') === 'insufficient_user_authentication',
  );
  const acr_values = asking?.get('acr_values');
  const max_age = asking?.get('max_age');
  if (acr_values === undefined && max_age === undefined) return null;
  const query = new URLSearchParams({
    return_to: localPath(return_to, settings.origin) ?? settings.home,
    ...(acr_values !== undefined && { acr_values }),
    ...(max_age !== undefined && { max_age }),
  });
  return `${settings.paths.login}?${query}`;
}

/** The parameters of each challenge in the header, by their names in lower case (RFC 9110 §11.6.1). */
function challengesOf(header: string): readonly ReadonlyMap<string, string>[] {
  const challenges: Map<string, string>[] = [];
  const words = header.matchAll(/([^\s",=]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+)))?/g);
  for (const [, word = '', quoted, token] of words) {
    const value = quoted?.replaceAll(/\\(.)/g, '$1') ?? token;
    if (value === undefined)
      challenges.push(new Map()); // a scheme
    else challenges.at(-1)?.set(word.toLowerCase(), value);
  }
  return challenges;
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
