/**
 * Pushed authorization requests, RFC 9126: kept under a reference until their browser comes. A client that has proved who it is has
 * a row; what a public client pushes, or one that registered itself, is sealed into the reference itself, since nothing is written for
 * a stranger (design §1.2). Rows for all who can have them keep references short: a URL of some kilobytes is what pushing is there to
 * avoid.
 */
import type { Deps } from '../deps.js';
import type { AuthorizationRequest } from '../oauth/authorization_request.js';
import { isPublic } from '../oauth/client_rules.js';
import { OAuthError } from '../oauth/errors.js';
import type { Params } from '../oauth/params.js';
import { digest, newSecret } from '../secrets.js';
import { type Client, isStranger } from '../store/clients.js';
import * as pushedRequests from '../store/pushed_requests.js';
import { openSealed, sealRequest } from './pending.js';

const prefix = 'urn:ietf:params:oauth:request_uri:';

/** How long after the reference has expired a browser that came in time may still be on the pages, seconds. */
const completes_within_seconds = 3600;

interface Kept {
  readonly request: AuthorizationRequest;
  readonly expires_at: number;
}

/**
 * Keeps a checked request. Throws `invalid_request` with status 413 where it is too large, and `temporarily_unavailable` with 429 where
 * too many of this client wait.
 */
export async function push(
  deps: Pick<Deps, 'config' | 'db' | 'keys'>,
  client: Client,
  request: AuthorizationRequest,
  now: number,
): Promise<{ readonly request_uri: string; readonly expires_in: number }> {
  const { PUSHED_REQUEST_SECONDS: expires_in, PUSHED_REQUESTS_PER_CLIENT: limit } = deps.config;
  const expires_at = now + expires_in;
  const kept: Kept = { request, expires_at };
  const sealed = sealRequest(await deps.keys.get(), 'pushed', kept);
  if (isPublic(client) || isStranger(client)) return { request_uri: prefix + sealed, expires_in };

  const reference = newSecret();
  const { client_id } = client;
  const row = { reference_hash: digest(reference), client_id, request: sealed, expires_at, now, limit };
  if (await pushedRequests.insert(deps.db, row)) return { request_uri: prefix + reference, expires_in };
  throw new OAuthError('temporarily_unavailable', 'too many pushed requests of this client wait', {
    status: 429,
    retry_after: expires_in,
  });
}

/** Whether a request names one that was pushed. */
export function isPushed(params: Params): boolean {
  return params.get('request_uri')?.startsWith(prefix) === true;
}

export interface FoundRequest {
  readonly request: AuthorizationRequest;
  /** Why it cannot be used any more, to be told where it says; null where it can. */
  readonly refusal: OAuthError | null;
}

/**
 * The pushed request that `request_uri` names; beside it nothing but client_id counts (§4). Throws `invalid_request_uri` for a
 * page where it is unknown or another client's.
 */
export async function findPushed(
  deps: Pick<Deps, 'db' | 'keys'>,
  params: Params,
  client: Client,
  now: number,
): Promise<FoundRequest> {
  const { request, expires_at, row, reference_hash } = await findKept(deps, params, client);
  const pushed = { reference_hash, until: expires_at + completes_within_seconds };
  const refusal = params.has('request') ? twoRequests() : refusalOf(row, expires_at, now);
  return { request: { ...request, pushed }, refusal };
}

async function findKept(deps: Pick<Deps, 'db' | 'keys'>, params: Params, client: Client) {
  const reference = params.require('request_uri').slice(prefix.length);
  const reference_hash = digest(reference);
  const row = await pushedRequests.find(deps.db, reference_hash);
  const sealed = row?.request ?? reference;
  const kept = openSealed(await deps.keys.get(), 'pushed', sealed) as Kept | undefined; // push wrote it
  if (kept === undefined || kept.request.client_id !== client.client_id)
    throw new OAuthError('invalid_request_uri', 'request_uri is unknown or has expired');
  return { ...kept, row, reference_hash };
}

function twoRequests(): OAuthError {
  return new OAuthError('invalid_request', 'request and request_uri exclude each other');
}

function refusalOf(
  row: pushedRequests.PushedRequestRow | undefined,
  expires_at: number,
  now: number,
): OAuthError | null {
  if (row !== undefined && row.consumed_at !== null)
    return new OAuthError('invalid_request_uri', 'request_uri was used before');
  return now < expires_at ? null : new OAuthError('invalid_request_uri', 'request_uri has expired');
}
