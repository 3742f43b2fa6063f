/** Resource servers: the APIs that access tokens are for. RFC 8707. */
import { openidScopes } from '../claims/index.js';
import type { Deps } from '../deps.js';
import { canonicalResource } from '../oauth/authorization_request.js';
import { isResource } from '../oauth/client_metadata.js';
import { UserError } from '../oauth/errors.js';
import { parseScope } from '../oauth/scope.js';
import * as cacheVersions from '../store/cache_versions.js';
import type { Trx } from '../store/db.js';
import * as events from '../store/events.js';
import * as resources from '../store/resources.js';
import { loadClient } from './clients.js';

type ResourceDeps = Pick<Deps, 'caches' | 'config' | 'db'>;

/** Adds a resource server. Throws UserError `invalid_input` or `conflict`, OAuthError `invalid_scope`. */
export async function addResource(
  deps: ResourceDeps,
  identifier: string,
  { scope, client_id }: ResourceChanges,
  now: number,
): Promise<resources.ResourceRow> {
  if (!isResource(identifier))
    throw new UserError('invalid_input', `${identifier} is not an absolute URI without a fragment.`);
  const canonical = canonicalResource(identifier);
  if (canonical === deps.config.ISSUER)
    throw new UserError('invalid_input', 'The issuer itself is always a resource; it need not be added.');
  const row = {
    identifier: canonical,
    scope: ownScope(scope ?? []),
    client_id: await actingClient(deps, client_id ?? null),
    created_at: now,
  };
  await change(deps, { type: 'resource_added', detail: canonical }, now, async (trx) => {
    if (!(await resources.insert(trx, row)))
      throw new UserError('conflict', `There is a resource ${canonical} already.`);
  });
  return row;
}

/** What is told of a resource server; what is left out stays as it is. */
export interface ResourceChanges {
  readonly scope?: readonly string[];
  /** The client that acts for it; null for none. */
  readonly client_id?: string | null;
}

/** Changes a resource server. Throws UserError `not_found` or `invalid_input`, OAuthError `invalid_scope`. */
export async function updateResource(
  deps: ResourceDeps,
  identifier: string,
  { scope, client_id }: ResourceChanges,
  now: number,
): Promise<resources.ResourceRow> {
  const before = await loadResource(deps, identifier);
  const row = {
    ...before,
    scope: scope === undefined ? before.scope : ownScope(scope),
    client_id: client_id === undefined ? before.client_id : await actingClient(deps, client_id),
  };
  await change(deps, { type: 'resource_updated', detail: row.identifier }, now, async (trx) => {
    if (!(await resources.update(trx, row))) throw notFound(identifier);
  });
  return row;
}

/** The client must be there: a mistyped one would be refused at each introspection. */
async function actingClient(deps: Pick<Deps, 'db'>, client_id: string | null): Promise<string | null> {
  return client_id === null ? null : (await loadClient(deps, client_id)).client_id;
}

/** The scopes of a resource server. One of OpenID Connect would be taken away from every token for userinfo (decisions 26). */
function ownScope(scope: readonly string[]): string {
  const words = parseScope(scope.join(' '));
  const taken = words.find((word) => openidScopes.includes(word));
  if (taken !== undefined)
    throw new UserError('invalid_input', `The scope ${taken} belongs to this server itself.`);
  return words.join(' ');
}

export async function loadResource(
  deps: Pick<Deps, 'db'>,
  identifier: string,
): Promise<resources.ResourceRow> {
  const row = await resources.find(deps.db, canonicalResource(identifier));
  if (row === undefined) throw notFound(identifier);
  return row;
}

export async function removeResource(deps: ResourceDeps, identifier: string, now: number): Promise<void> {
  const canonical = canonicalResource(identifier);
  await change(deps, { type: 'resource_removed', detail: canonical }, now, async (trx) => {
    if (!(await resources.remove(trx, canonical))) throw notFound(identifier);
  });
}

function notFound(identifier: string): UserError {
  return new UserError('not_found', `There is no resource ${identifier}.`);
}

async function change(
  deps: ResourceDeps,
  event: events.Event,
  now: number,
  work: (trx: Trx) => Promise<void>,
): Promise<void> {
  await deps.db.transaction(async (trx) => {
    await work(trx);
    await cacheVersions.bump(trx, 'resources');
    await events.record(trx, event, now, deps.config.EVENTS_SECONDS);
  });
  deps.caches.expire();
}
