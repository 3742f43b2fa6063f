/**
 * Other providers as openid-client knows them: by their discovery document (OpenID Connect Discovery §4), fetched when it is needed and
 * kept for an hour, or by the endpoints that the operator named. Everything goes through the outbound gate.
 */
import { LRUCache } from 'lru-cache';
import * as oidc from 'openid-client';
import type { Keys } from '../keys/keys.js';
import type { Outbound } from '../limits/outbound.js';
import type { IdentityProviderRow } from '../store/identity_providers.js';
import { openClientSecret } from './client_secret.js';
import { UpstreamError } from './errors.js';
import { gateFetch } from './gate_fetch.js';

const keep_seconds = 3600;
/** How long a provider that did not answer is not asked again: strangers press its button, too. */
const again_seconds = 5;
const timeout_seconds = 10; // the gate's own limit is shorter

/** What else the processes keep of providers. */
export interface Upstream {
  /** A provider as the library takes it. Throws UpstreamError `unreachable`. */
  configuration(provider: IdentityProviderRow, now: number): Promise<oidc.Configuration>;
  /**
   * Whether an answer is seen for the first time by this process: a reload does not redeem a code twice, which would end its tokens.
   * A courtesy: what makes it certain is that the provider takes a code once.
   */
  isFirst(answer: string): boolean;
}

export interface UpstreamOptions {
  readonly outbound: Outbound;
  readonly keys: Keys;
  /** Seconds that our clock is ahead of the machine's, which is the library's: 0 but in tests. */
  readonly skew: () => number;
}

interface Known {
  readonly made_at: number;
  readonly skew: number;
  readonly configuration: Promise<oidc.Configuration>;
  readonly failed?: true;
}

export function createUpstream({ outbound, keys, skew }: UpstreamOptions): Upstream {
  const known = new LRUCache<string, Known>({ max: 100 });
  const seen = new LRUCache<string, true>({ max: 1000 });
  const gate = gateFetch(outbound);

  async function configure(provider: IdentityProviderRow): Promise<oidc.Configuration> {
    const client_secret = openClientSecret(await keys.get(), provider);
    const authentication = authenticationOf(provider, client_secret);
    const { client_id, id_token_signed_response_alg } = provider;
    const metadata = { id_token_signed_response_alg, [oidc.clockSkew]: skew() };
    if (provider.kind === 'oidc') return discover(provider, gate, { client_id, metadata, authentication });
    const server = serverOf(provider);
    const configuration = new oidc.Configuration(server, client_id, metadata, authentication);
    configuration[oidc.customFetch] = gate;
    configuration.timeout = timeout_seconds;
    if (server.token_endpoint?.startsWith('http:')) oidc.allowInsecureRequests(configuration); // the gate decides
    return configuration;
  }

  function renew(key: string, provider: IdentityProviderRow, now: number): Promise<oidc.Configuration> {
    const made = { made_at: now, skew: skew() };
    const configuration = configure(provider).catch((cause: unknown) => {
      throw new UpstreamError('unreachable', `the provider ${provider.id} cannot be found`, { cause });
    });
    known.set(key, { ...made, configuration });
    configuration.catch(() => {
      if (known.get(key)?.configuration === configuration)
        known.set(key, { ...made, configuration, failed: true });
    });
    return configuration;
  }

  return {
    async configuration(provider, now) {
      const key = `${provider.id} ${provider.updated_at}`;
      const kept = known.get(key);
      const good = kept !== undefined && kept.skew === skew();
      const fresh = good && now - kept.made_at < (kept.failed ? again_seconds : keep_seconds);
      return fresh ? kept.configuration : renew(key, provider, now);
    },
    isFirst(answer) {
      if (seen.has(answer)) return false;
      seen.set(answer, true);
      return true;
    },
  };
}

interface OurClient {
  readonly client_id: string;
  readonly metadata: Partial<oidc.ClientMetadata>;
  readonly authentication: oidc.ClientAuth;
}

async function discover(
  provider: IdentityProviderRow,
  gate: oidc.CustomFetch,
  { client_id, metadata, authentication }: OurClient,
): Promise<oidc.Configuration> {
  const issuer = new URL(provider.issuer ?? '');
  // The signature of the ID token is always checked, not only where no TLS vouches for the answer.
  const execute = [oidc.enableNonRepudiationChecks];
  if (issuer.protocol === 'http:') execute.push(oidc.allowInsecureRequests); // the gate decides
  const options = { execute, timeout: timeout_seconds, [oidc.customFetch]: gate };
  const configuration = await oidc.discovery(issuer, client_id, metadata, authentication, options);
  if (configuration.serverMetadata().issuer !== provider.issuer)
    throw new TypeError('the discovery document spells its issuer otherwise'); // letter by letter (Discovery §4.3)
  return configuration;
}

/** A server without a discovery document. Where its issuer is unknown it has a name that no answer can have. */
function serverOf(provider: IdentityProviderRow): oidc.ServerMetadata {
  const { issuer, authorization_endpoint, token_endpoint, userinfo_endpoint } = provider;
  return {
    issuer: issuer ?? `urn:sallyport:provider:${provider.id}`,
    ...(issuer !== null && { authorization_response_iss_parameter_supported: true }),
    ...(authorization_endpoint !== null && { authorization_endpoint }),
    ...(token_endpoint !== null && { token_endpoint }),
    ...(userinfo_endpoint !== null && { userinfo_endpoint }),
  };
}

function authenticationOf(provider: IdentityProviderRow, client_secret: string | null): oidc.ClientAuth {
  if (client_secret === null) return oidc.None();
  const post = provider.token_endpoint_auth_method === 'client_secret_post';
  return post ? oidc.ClientSecretPost(client_secret) : oidc.ClientSecretBasic(client_secret);
}
