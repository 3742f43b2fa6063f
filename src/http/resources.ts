/** The resources that a request for tokens names. RFC 8707 §2.2. */
import type { Deps } from '../deps.js';
import type { GrantRequest } from '../grants/grant.js';
import type { Params } from '../oauth/params.js';
import { parseResources } from '../oauth/resource.js';

/** What a request names, beside the scope words of all resource servers. Throws `invalid_target` for one that is not known. */
export async function readResources(
  { caches, config }: Pick<Deps, 'caches' | 'config'>,
  params: Params,
): Promise<Pick<GrantRequest, 'resources' | 'requested_resources'>> {
  const resources = await caches.resources();
  const known = new Set([config.ISSUER, ...resources.keys()]);
  return { resources, requested_resources: parseResources(params, known) };
}
