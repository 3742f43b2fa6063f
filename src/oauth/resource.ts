/** Resource indicators: which resource servers a request is about. RFC 8707 §2. */
import { OAuthError } from './errors.js';
import type { Params } from './params.js';

/** Whether a text may name a resource server: an absolute URI without a fragment. RFC 8707 §2. */
export function isResource(text: string): boolean {
  return /^[\x21-\x7e]{1,2048}$/.test(text) && URL.canParse(text) && !text.includes('#');
}

/** The values of resource. Throws `invalid_target` on one that is malformed or not among `known`. RFC 8707 §2. */
export function parseResources(params: Params, known: ReadonlySet<string>): readonly string[] {
  const resources = [...new Set(params.all('resource').map(canonicalResource))];
  const wrong = resources.find((resource) => !isResource(resource) || !known.has(resource));
  if (wrong !== undefined)
    throw new OAuthError('invalid_target', `resource ${wrong.slice(0, 200)} is not known here`);
  return resources;
}

/** Scheme and host in lower case, all else as given. */
export function canonicalResource(resource: string): string {
  return resource.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, (start) => start.toLowerCase());
}
