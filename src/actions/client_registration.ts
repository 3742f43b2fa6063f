/**
 * Clients that register themselves, and manage their registration with the token that they were given. RFC 7591; RFC 7592; OpenID
 * Connect Registration. They may say less of themselves than an operator may (oauth/client_registration.ts), and there are limits.
 */
import type { Deps } from '../deps.js';
import {
  asRegistrationError,
  demandsOf,
  operatorsPart,
  type RegistrationPolicy,
  type RegistrationRequest,
  requestedMetadata,
} from '../oauth/client_registration.js';
import { OAuthError, UserError } from '../oauth/errors.js';
import { scopeWords } from '../oauth/scope.js';
import { digest, equal, newId, newSecret } from '../secrets.js';
import * as cacheVersions from '../store/cache_versions.js';
import * as clients from '../store/clients.js';
import type { Trx } from '../store/db.js';
import * as registrationTokens from '../store/registration_tokens.js';
import { addClient, metadataOf, type NewClient, removeClient, replaceMetadata } from './clients.js';
import { unusable } from './registration_tokens.js';

type RegistrationDeps = Pick<
  Deps,
  'caches' | 'config' | 'db' | 'keys' | 'masterKeys' | 'outbound' | 'statusIndices'
>;

export interface Registered extends NewClient {
  /** 256 random bits, for RFC 7592. Told at registration; stored as a digest. */
  readonly registration_access_token: string;
}

/**
 * Registers a client at its own request. `initial_token` is what it came with, already found good; its use is taken in the transaction
 * that stores the client. Throws `invalid_redirect_uri`, `invalid_client_metadata` or `unapproved_software_statement` (RFC 7591
 * §3.2.2), `invalid_token` where others took the last use, `access_denied` where there are as many clients as there may be.
 */
export async function registerClient(
  deps: RegistrationDeps,
  request: RegistrationRequest,
  initial_token: Pick<registrationTokens.RegistrationTokenRow, 'id'> | null,
  now: number,
): Promise<Registered> {
  const registration_access_token = newSecret();
  const initial_token_id = initial_token?.id ?? null;
  const registration = {
    registration_token_hash: digest(registration_access_token),
    initial_token_id,
    admit: (trx: Trx) => admit(trx, initial_token_id, deps.config.CLIENT_REGISTRATIONS_MOST, now),
  };
  const policy = {
    scope: scopeWords(deps.config.CLIENT_REGISTRATION_SCOPE),
    client_credentials: initial_token_id !== null,
  };
  const added = await toldAsRegistration(() => {
    const metadata = { ...requestedMetadata(request, policy), id_token_claims: 'minimal' }; // protocol.md §30.3
    return addClient(deps, metadata, now, newId(), registration);
  });
  return { ...added, registration_access_token };
}

async function toldAsRegistration<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw asRegistrationError(error);
  }
}

/** Counts under the lock that every change of a client takes, so that two at the same moment do not both become the last one. */
async function admit(trx: Trx, initial_token_id: string | null, most: number, now: number): Promise<void> {
  await cacheVersions.bump(trx, 'clients');
  if ((await clients.countRegistered(trx)) >= most)
    throw new OAuthError('access_denied', 'this server takes no more applications that register themselves');
  if (initial_token_id !== null && !(await registrationTokens.use(trx, initial_token_id, now)))
    throw unusable();
}

/** The client whose registration access token this is. Throws `invalid_token`, and does the same work where there is no such client. */
export async function authenticateRegistration(
  { db }: Pick<Deps, 'db'>,
  client_id: string,
  token: string,
): Promise<clients.Client> {
  const client = await clients.find(db, client_id);
  const known = equal(client?.registration_token_hash ?? digest(client_id), digest(token));
  if (
    client === undefined ||
    client.registration_token_hash === null ||
    !known ||
    client.disabled_at !== null
  )
    throw new OAuthError('invalid_token', 'the registration access token is not good for this client');
  return client;
}

/**
 * Gives a client the metadata of a request in the place of all it could set (RFC 7592 §2.2); what the operator set stays. A secret is
 * made where it needs one now and had none. Throws as registerClient.
 */
export async function replaceRegistration(
  deps: RegistrationDeps,
  client: clients.Client,
  request: RegistrationRequest,
  now: number,
): Promise<NewClient> {
  return toldAsRegistration(async () => {
    assertOwnRequest(client, request);
    const metadata = {
      ...requestedMetadata(request, policyOf(deps, client)),
      ...demandsOf(client),
      ...operatorsPart(metadataOf(client)),
    };
    return replaceMetadata(deps, client, metadata, now);
  });
}

/** It keeps what it has, also where the operator gave it that. */
function policyOf({ config }: Pick<Deps, 'config'>, client: clients.Client): RegistrationPolicy {
  const scope = [...scopeWords(config.CLIENT_REGISTRATION_SCOPE), ...scopeWords(client.scope)];
  const client_credentials =
    client.initial_token_id !== null || client.grant_types.includes('client_credentials');
  return { scope: [...new Set(scope)], client_credentials };
}

/** What a request to replace must say, and what is not for the client to choose. RFC 7592 §2.2. */
const chosenHere = [
  'registration_access_token',
  'registration_client_uri',
  'client_secret_expires_at',
  'client_id_issued_at',
];

function assertOwnRequest(client: clients.Client, request: RegistrationRequest): void {
  const { client_id, client_secret } = request;
  const chosen = chosenHere.find((member) => Object.hasOwn(request, member));
  if (chosen !== undefined)
    throw new OAuthError('invalid_client_metadata', `${chosen}: is not for a client to set`);
  if (client_id !== client.client_id)
    throw new OAuthError('invalid_client_metadata', 'client_id: must be that of this client');
  if (client_secret === undefined) return;
  const known =
    typeof client_secret === 'string' && equal(digest(client_secret), client.client_secret_hash ?? '');
  if (!known)
    throw new OAuthError('invalid_client_metadata', 'client_secret: is not the secret of this client');
}

/**
 * Removes clients that registered themselves and were of no use for long, 50 at most: each in a transaction of its own, which ends all
 * its tokens. Returns how many.
 */
export async function removeUnusedClients(deps: RegistrationDeps, now: number): Promise<number> {
  const before = now - deps.config.CLIENT_REGISTRATION_UNUSED_SECONDS;
  let removed = 0;
  for (const client_id of await clients.listUnused(deps.db, before)) {
    try {
      await removeClient(deps, client_id, now, (trx) => clients.removeUnused(trx, client_id, before));
      removed += 1;
    } catch (error) {
      if (!(error instanceof UserError)) throw error; // it was used at this very moment, or is gone already
    }
  }
  return removed;
}
