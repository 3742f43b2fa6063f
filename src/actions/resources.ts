/** Resource servers: the APIs that access tokens are for. RFC 8707. */
import { openidScopes } from '../claims/index.js';
import type { Config } from '../config.js';
import type { Deps } from '../deps.js';
import { isJwsAlg, jwsAlgs } from '../oauth/algorithms.js';
import { UserError } from '../oauth/errors.js';
import { canonicalResource, isResource } from '../oauth/resource.js';
import { parseScope } from '../oauth/scope.js';
import * as resources from '../store/resources.js';
import { changing } from './changing.js';
import { loadClient } from './clients.js';
import { ensureKeysFor, type KeyDeps } from './keys.js';

const change = changing('resources');

type ResourceDeps = KeyDeps;

/** The shortest life of an access token, in seconds: a clock that is a little off must not refuse it at once. */
const shortest_seconds = 30;

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
  const empty = {
    ...{ scope: '', client_id: null, permissions: '{}', token_claims: '' },
    ...{ access_token_seconds: null, access_token_signing_alg: null },
  };
  const row = { identifier: canonical, created_at: now, ...empty, ...(await columnsOf(deps, changes)) };
  await ensureKeyOf(deps, row, now);
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
  /** How long its access tokens live, in seconds, at most as long as others; null for as long. */
  readonly access_token_seconds?: number | null;
  /** What they are signed with; null for RS256. */
  readonly access_token_signing_alg?: string | null;
}

/** Changes a resource server. Throws UserError `not_found` or `invalid_input`, OAuthError `invalid_scope`. */
export async function updateResource(
  deps: ResourceDeps,
  identifier: string,
  changes: ResourceChanges,
  now: number,
): Promise<resources.ResourceRow> {
  const row = { ...(await loadResource(deps, identifier)), ...(await columnsOf(deps, changes)) };
  await ensureKeyOf(deps, row, now);
  await change(deps, { type: 'resource_updated', detail: row.identifier }, now, async (trx) => {
    if (!(await resources.update(trx, row))) throw notFound(identifier);
  });
  return row;
}

/** What is to be written, checked. */
async function columnsOf(
  deps: Pick<Deps, 'config' | 'db'>,
  changes: ResourceChanges,
): Promise<Partial<resources.ResourceRow>> {
  const { scope, client_id, permissions, token_claims, access_token_seconds, access_token_signing_alg } =
    changes;
  return {
    ...(scope !== undefined && { scope: ownScope(scope) }),
    ...(client_id !== undefined && { client_id: await actingClient(deps, client_id) }),
    ...(permissions !== undefined && { permissions: JSON.stringify(ownPermissions(permissions)) }),
    ...(token_claims !== undefined && { token_claims: knownClaims(token_claims) }),
    ...(access_token_seconds !== undefined && {
      access_token_seconds: ownLifetime(deps.config, access_token_seconds),
    }),
    ...(access_token_signing_alg !== undefined && {
      access_token_signing_alg: knownAlg(access_token_signing_alg),
    }),
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

/** Never longer than the setting: what is kept until the last token has expired counts on it. */
function ownLifetime(
  { ACCESS_TOKEN_SECONDS: most }: Pick<Config, 'ACCESS_TOKEN_SECONDS'>,
  seconds: number | null,
) {
  if (seconds === null) return null;
  if (Number.isInteger(seconds) && seconds >= shortest_seconds && seconds <= most) return seconds;
  throw new UserError('invalid_input', {
    key: 'admin.access_token_seconds',
    values: { least: shortest_seconds, most },
  });
}

function knownAlg(alg: string | null): string | null {
  if (alg === null || isJwsAlg(alg)) return alg;
  throw new UserError('invalid_input', {
    key: 'admin.unknown_signing_alg',
    values: { alg, known: jwsAlgs.join(' ') },
  });
}

async function ensureKeyOf(deps: KeyDeps, row: resources.ResourceRow, now: number): Promise<void> {
  const { access_token_signing_alg: alg } = row;
  if (alg !== null && isJwsAlg(alg)) await ensureKeysFor(deps, [alg], now);
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
