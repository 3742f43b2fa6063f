/** Reads an authorization request whose client and redirect URI are known good, with what the server knows. OpenID Connect Core §3.1.2.2. */
import { claimsWithin } from '../claims/index.js';
import type { Deps } from '../deps.js';
import {
  type AuthorizationRequest,
  parseAuthorizationRequest,
  type ReplyTo,
} from '../oauth/authorization_request.js';
import { OAuthError } from '../oauth/errors.js';
import type { Params } from '../oauth/params.js';
import { promptsOf } from '../oauth/prompt.js';
import { scopeWords } from '../oauth/scope.js';
import type { Client } from '../store/clients.js';
import { readHint } from '../tokens/id_token.js';
import { shareSubjects } from '../tokens/subject.js';

type ReadDeps = Pick<Deps, 'caches' | 'config' | 'keys'>;

/** Throws what the client is told. */
export async function readAuthorizationRequest(
  deps: ReadDeps,
  params: Params,
  { client, reply, now }: { readonly client: Client; readonly reply: ReplyTo; readonly now: number },
): Promise<AuthorizationRequest> {
  const hint = params.get('id_token_hint');
  const hint_sub = hint === undefined ? null : await hintedSubject(deps, client, hint, now);
  const resources = new Set([deps.config.ISSUER, ...(await deps.caches.resources()).keys()]);
  return parseAuthorizationRequest(params, {
    client,
    reply,
    hint_sub,
    claims_supported: claimsWithin(scopeWords(client.scope)),
    resources,
    response_types: deps.config.RESPONSE_TYPES,
    prompts: promptsOf(deps.config.USER_REGISTRATION),
  });
}

/** The `sub` of an id_token_hint, as this client knows the user. Throws `invalid_request`. */
async function hintedSubject(deps: ReadDeps, client: Client, id_token: string, now: number): Promise<string> {
  const hint = await readHint(await deps.keys.get(), deps.config.ISSUER, id_token, now);
  if (hint === undefined)
    throw new OAuthError('invalid_request', 'id_token_hint is not an ID token of this server');
  const other = hint.client_id === client.client_id ? client : await deps.caches.client(hint.client_id);
  if (other !== undefined && !shareSubjects(client, other))
    throw new OAuthError('invalid_request', 'id_token_hint was issued to another client');
  return hint.sub;
}
