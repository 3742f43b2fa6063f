/** Whom an access token is for, and what it may do there. RFC 8707 §2; RFC 9068 §3; decisions 26. */
import { OAuthError } from '../oauth/errors.js';
import { intersect } from '../oauth/scope.js';

export interface AudienceRequest {
  readonly issuer: string;
  /** The scope words of each resource server, by identifier. */
  readonly resources: ReadonlyMap<string, readonly string[]>;
  /** What was granted. */
  readonly scope: readonly string[];
  /** The resources it was granted for; none means the default. */
  readonly granted: readonly string[];
  /** The resources that the token request names; none means all that were granted. */
  readonly requested: readonly string[];
  readonly default_resource: string | undefined;
}

/**
 * The audience and its scope: the resources asked for, else the client's default, else the issuer. A token for a resource carries
 * that resource's scopes only, one for the issuer those that belong to no resource. What was removed since is no resource any
 * more. Throws `invalid_target` where more is asked for than was granted, or nothing of it is left.
 */
export function audienceOf(request: AudienceRequest): {
  readonly audience: readonly string[];
  readonly scope: readonly string[];
} {
  const { issuer, resources } = request;
  const named = request.granted.length > 0 ? request.granted : [request.default_resource ?? issuer];
  const granted = named.filter((resource) => resource === issuer || resources.has(resource));
  if (granted.length === 0)
    throw new OAuthError('invalid_target', `resource ${named.join(' ').slice(0, 200)} is not known here`);
  const beyond = request.requested.find((resource) => !granted.includes(resource));
  if (beyond !== undefined)
    throw new OAuthError('invalid_target', `resource ${beyond.slice(0, 200)} was not granted`);
  const audience = request.requested.length > 0 ? request.requested : granted;
  const allowed = audience.flatMap((resource) => scopesAt(resource, request));
  return { audience, scope: intersect(request.scope, allowed) };
}

function scopesAt(resource: string, { issuer, resources, scope }: AudienceRequest): readonly string[] {
  if (resource !== issuer) return resources.get(resource) ?? [];
  const elsewhere = new Set([...resources.values()].flat());
  return scope.filter((word) => !elsewhere.has(word));
}
