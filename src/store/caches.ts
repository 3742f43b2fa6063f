/**
 * What a process keeps in memory of clients, resource servers, other providers and keys: until a version counter in the database changes, which
 * is looked at once a second at most. Never anything that can be used only once.
 */
import { LRUCache } from 'lru-cache';
import { type Brand, brandOf } from '../branding/brand.js';
import type { JwsAlg } from '../oauth/algorithms.js';
import { originsOf, usesSignInApi } from '../oauth/client_rules.js';
import { scopeWords } from '../oauth/scope.js';
import * as cacheVersions from './cache_versions.js';
import * as clients from './clients.js';
import type { Db } from './db.js';
import * as identityProviders from './identity_providers.js';
import * as resources from './resources.js';
import * as settings from './settings.js';

/** A value that is loaded anew when its version changed. */
interface Kept<T> {
  get(): Promise<T>;
}

export interface Caches {
  /** A client by its id, disabled ones too. */
  client(client_id: string): Promise<clients.Client | undefined>;
  /** Notes, once a day for each, that a client that registered itself was of use: unused ones are removed. */
  used(client: clients.Client, now: number): Promise<void>;
  /** The resource servers: the words of their scope by identifier. */
  resources(): Promise<ReadonlyMap<string, readonly string[]>>;
  /** What roles mean to the resource servers that tell them apart, by identifier. */
  roleRules(): Promise<ReadonlyMap<string, RoleRules>>;
  /** How the resource servers that want it otherwise than usual get their access tokens, by identifier. */
  tokenRules(): Promise<ReadonlyMap<string, TokenRules>>;
  /** Every origin from which some enabled client's script may call. */
  origins(): Promise<ReadonlySet<string>>;
  /** Every origin from which the script of some enabled client may call the sign-in API. */
  signInOrigins(): Promise<ReadonlySet<string>>;
  /** Every enabled client at which a sign-in can be started from here. */
  startable(): Promise<readonly clients.Client[]>;
  /** How the operator wants pages to look. */
  brand(): Promise<Brand>;
  /** The other providers that people may sign in with now, in the order that people see them. */
  identityProviders(): Promise<readonly identityProviders.IdentityProviderRow[]>;
  /** Keeps something else under a version counter. */
  keep<T>(name: cacheVersions.Cached, load: () => Promise<T>): Kept<T>;
  /** Looks at the counters again at the next use: called after this process changed something. */
  expire(): void;
}

/** How often at most it is noted that a client was of use. */
const use_seconds = 86_400;

export function createCaches(db: Db, clock: () => number): Caches {
  const versions = createVersions(db, clock);
  const keep = <T>(name: cacheVersions.Cached, load: () => Promise<T>) =>
    keepWhile(versions.current, name, load);
  const byId = keep('clients', async () => new LRUCache<string, clients.Client>({ max: 1000 }));
  const ofResources = keep('resources', async () => {
    const rows = await resources.list(db);
    return {
      scopes: new Map(rows.map(({ identifier, scope }) => [identifier, scopeWords(scope)])),
      roles: new Map(rows.flatMap(rulesOf)),
      tokens: new Map(rows.flatMap(tokenRulesOf)),
    };
  });
  const enabledProviders = keep('identity_providers', async () =>
    (await identityProviders.list(db)).filter(({ disabled_at }) => disabled_at === null),
  );
  const ofAll = keep('clients', async () => {
    const enabled = (await clients.list(db)).filter((client) => client.disabled_at === null);
    const ofApi = enabled.filter(usesSignInApi).flatMap((client) => client.allowed_origins);
    const startable = enabled.filter((client) => client.initiate_login_uri !== undefined);
    return { any: new Set(enabled.flatMap(originsOf)), sign_in: new Set(ofApi), startable };
  });

  return {
    async client(client_id) {
      if (!clients.isPlausibleId(client_id)) return undefined;
      const known = await byId.get();
      const client = known.get(client_id) ?? (await clients.find(db, client_id));
      if (client !== undefined) known.set(client_id, client);
      return client;
    },
    async used({ client_id, last_used_at }, now) {
      if (last_used_at === null || now - last_used_at < use_seconds) return;
      const known = await byId.get();
      const client = known.get(client_id);
      if (client !== undefined) known.set(client_id, { ...client, last_used_at: now });
      await clients.touch(db, client_id, now, now - use_seconds + 1);
    },
    resources: async () => (await ofResources.get()).scopes,
    roleRules: async () => (await ofResources.get()).roles,
    tokenRules: async () => (await ofResources.get()).tokens,
    origins: async () => (await ofAll.get()).any,
    signInOrigins: async () => (await ofAll.get()).sign_in,
    startable: async () => (await ofAll.get()).startable,
    brand: keep('settings', async () => brandOf(await settings.list(db))).get,
    identityProviders: enabledProviders.get,
    keep,
    expire: versions.expire,
  };
}

/** What a resource server tells of roles; nothing for most. */
export interface RoleRules {
  /** For each permission the roles that hold it. A permission that is also a scope of the server restricts that scope. */
  readonly permissions: Readonly<Record<string, readonly string[]>>;
  /** The claims that it wants in its tokens: `roles`, `permissions`. */
  readonly token_claims: readonly string[];
}

function rulesOf({ identifier, permissions, token_claims }: resources.ResourceRow): [string, RoleRules][] {
  if (permissions === '{}' && token_claims === '') return [];
  const parsed = JSON.parse(permissions) as RoleRules['permissions']; // written by actions/resources.ts
  return [[identifier, { permissions: parsed, token_claims: scopeWords(token_claims) }]];
}

/** What access tokens for a resource server are like. */
interface TokenRules {
  /** How long they live; null for as long as others. */
  readonly seconds: number | null;
  readonly alg: JwsAlg | null;
}

function tokenRulesOf(row: resources.ResourceRow): [string, TokenRules][] {
  const seconds = row.access_token_seconds;
  const alg = row.access_token_signing_alg as JwsAlg | null; // written by actions/resources.ts
  return seconds === null && alg === null ? [] : [[row.identifier, { seconds, alg }]];
}

type Versions = ReadonlyMap<cacheVersions.Cached, number>;

function createVersions(db: Db, clock: () => number) {
  let checked_at = -1;
  let current: Versions | Promise<Versions> = new Map();

  async function read(): Promise<Versions> {
    const reading = cacheVersions.read(db);
    current = reading;
    try {
      const versions = await reading;
      if (current === reading) current = versions; // at hand, so that nobody waits for it until the next second
      return versions;
    } catch (error) {
      checked_at = -1; // not read: ask again at the next use; whoever waits gets the error itself
      throw error;
    }
  }

  return {
    /** The counters, or a promise of them while they are being read. */
    current(): Versions | Promise<Versions> {
      const now = clock();
      if (now === checked_at) return current;
      checked_at = now;
      return read();
    },
    expire() {
      checked_at = -1;
    },
  };
}

function keepWhile<T>(
  currentVersions: () => Versions | Promise<Versions>,
  name: cacheVersions.Cached,
  load: () => Promise<T>,
): Kept<T> {
  let kept: { readonly version: number; readonly value: Promise<T> } | undefined;

  function at(versions: Versions): Promise<T> {
    const version = versions.get(name) ?? 0;
    if (kept?.version !== version) {
      const loading = { version, value: load() };
      kept = loading;
      loading.value.catch(() => {
        if (kept === loading) kept = undefined; // a failed load is not kept; whoever waits gets the error itself
      });
    }
    return kept.value;
  }

  return {
    get() {
      const versions = currentVersions();
      return versions instanceof Promise ? versions.then(at) : at(versions);
    },
  };
}
