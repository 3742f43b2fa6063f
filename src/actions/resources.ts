/** Resource servers: the APIs that access tokens are for. RFC 8707. */
import { openidScopes } from '../claims/index.js';
import type { Deps } from '../deps.js';
import { UserError } from '../oauth/errors.js';
import { canonicalResource, isResource } from '../oauth/resource.js';
import { parseScope } from '../oauth/scope.js';
import * as resources from '../store/resources.js';
import { changing } from './changing.js';
import { loadClient } from './clients.js';

const change = changing('resources');

type ResourceDeps = Pick<Deps, 'caches' | 'config' | 'db'>;

/** Adds a resource server. Throws UserError `invalid_input` or `conflict`, OAuthError `invalid_scope`. */
export async function addResource(
  deps: ResourceDeps,
  identifier: string,
  changes: ResourceChanges,
  now: number,
): Promise<resources.ResourceRow> {
  if (!isResource(identifier))
    throw new UserError('invalid_input', { key: 'admin.resource_not_uri', values: { identifier } });
  const canonical = canonicalResource(identifier);
  if (canonical === deps.config.ISSUER) throw new UserError('invalid_input', 'admin.resource_is_issuer');
  const empty = { scope: '', client_id: null, permissions: '{}', token_claims: '' };
  const row = { identifier: canonical, created_at: now, ...empty, ...(await columnsOf(deps, changes)) };
  await change(deps, { type: 'resource_added', detail: canonical }, now, async (trx) => {
    if (!(await resources.insert(trx, row)))
      throw new UserError('conflict', { key: 'admin.resource_exists', values: { identifier: canonical } });
  });
  return row;
}

/** What is told of a resource server; what is left out stays as it is. */
export interface ResourceChanges {
  readonly scope?: readonly string[];
  /** The client that acts for it; null for none. */
  readonly client_id?: string | null;
  /** For each permission the roles that hold it. */
  readonly permissions?: Readonly<Record<string, readonly string[]>>;
  /** The claims about roles that it wants in its tokens. */
  readonly token_claims?: readonly string[];
}

/** Changes a resource server. Throws UserError `not_found` or `invalid_input`, OAuthError `invalid_scope`. */
export async function updateResource(
  deps: ResourceDeps,
  identifier: string,
  changes: ResourceChanges,
  now: number,
): Promise<resources.ResourceRow> {
  const row = { ...(await loadResource(deps, identifier)), ...(await columnsOf(deps, changes)) };
  await change(deps, { type: 'resource_updated', detail: row.identifier }, now, async (trx) => {
    if (!(await resources.update(trx, row))) throw notFound(identifier);
  });
  return row;
}

/** What is to be written, checked. */
async function columnsOf(
  deps: Pick<Deps, 'db'>,
  { scope, client_id, permissions, token_claims }: ResourceChanges,
): Promise<Partial<resources.ResourceRow>> {
  return {
    ...(scope !== undefined && { scope: ownScope(scope) }),
    ...(client_id !== undefined && { client_id: await actingClient(deps, client_id) }),
    ...(permissions !== undefined && { permissions: JSON.stringify(ownPermissions(permissions)) }),
    ...(token_claims !== undefined && { token_claims: knownClaims(token_claims) }),
  };
}

/** Permissions are written like scopes, and so are roles: both are words of a token. */
function ownPermissions(permissions: NonNullable<ResourceChanges['permissions']>) {
  ownScope(Object.keys(permissions));
  for (const [permission, roles] of Object.entries(permissions)) {
    if (roles.length === 0)
      throw new UserError('invalid_input', { key: 'admin.permission_without_role', values: { permission } });
    parseScope(roles.join(' '));
  }
  return permissions;
}

function knownClaims(claims: readonly string[]): string {
  const unknown = claims.find((claim) => !['roles', 'permissions'].includes(claim));
  if (unknown !== undefined)
    throw new UserError('invalid_input', { key: 'admin.unknown_token_claim', values: { claim: unknown } });
  return [...new Set(claims)].join(' ');
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
    throw new UserError('invalid_input', { key: 'admin.scope_taken', values: { scope: taken } });
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
  return new UserError('not_found', { key: 'admin.no_resource', values: { identifier } });
}
