/** Finds out which client calls, by exactly one method: the one it registered. RFC 6749 §2.3; protocol.md §7. */
import type { Config } from '../config.js';
import { OutboundError } from '../limits/outbound.js';
import { OAuthError } from '../oauth/errors.js';
import type { Caches } from '../store/caches.js';
import type { Client } from '../store/clients.js';
import type { AuthenticationRequest, ClientAuthentication, Presented, VerifyContext } from './method.js';
import * as registry from './registry.js';

const methods: readonly ClientAuthentication[] = Object.values(registry);

/** The methods that work with these settings. */
export function authenticationMethods(config: Config): readonly string[] {
  return methods.filter((each) => each.isAvailable?.(config) ?? true).map((each) => each.method);
}

export type AuthenticationDeps = Omit<VerifyContext, 'certificate'> & { readonly caches: Caches };

/** The client of a request. Throws `invalid_client`, or `invalid_request` where two methods are used at once. */
export async function authenticateClient(
  deps: AuthenticationDeps,
  request: AuthenticationRequest,
): Promise<Client> {
  const used = methods.flatMap((method) => {
    const presented = method.presented(request);
    return presented === undefined ? [] : [{ method, presented }];
  });
  const [first] = used;
  if (first === undefined) throw new OAuthError('invalid_client', 'client authentication is missing');
  if (used.length > 1 && used.some(({ method }) => method.by_connection !== true))
    throw new OAuthError('invalid_request', 'two ways of client authentication are used at once');
  assertSameClient(request, first.presented);

  const client = await deps.caches.client(first.presented.client_id);
  if (client === undefined || client.disabled_at !== null)
    throw new OAuthError('invalid_client', 'the client is unknown');
  // Who only names itself is told apart by what it registered: a connection may have a certificate for another end.
  const only = used.find(({ method }) => method.method === client.token_endpoint_auth_method) ?? first;
  if (client.token_endpoint_auth_method !== only.method.method) {
    throw new OAuthError(
      'invalid_client',
      `this client is registered for ${client.token_endpoint_auth_method}, not ${only.method.method}`,
    );
  }
  const context = { ...deps, certificate: request.certificate };
  if (!(await verify(context, client, only.method, only.presented)))
    throw new OAuthError('invalid_client', 'client authentication failed');
  return client;
}

function assertSameClient({ params }: AuthenticationRequest, { client_id }: Presented): void {
  const named = params.get('client_id');
  if (named !== undefined && named !== client_id)
    throw new OAuthError('invalid_client', 'client_id is not the client that is authenticated');
}

/** A client's keys that cannot be fetched are the client's failure, told to it and logged; anything else is ours. */
async function verify(
  context: VerifyContext,
  client: Client,
  method: ClientAuthentication,
  { proof }: Presented,
): Promise<boolean> {
  try {
    return await method.verify(context, client, proof);
  } catch (cause) {
    if (!(cause instanceof OutboundError)) throw cause;
    throw new OAuthError('invalid_client', 'the keys of this client cannot be fetched from its jwks_uri', {
      cause,
    });
  }
}
