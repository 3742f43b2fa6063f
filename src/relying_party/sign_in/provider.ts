/** The provider, found by its discovery document when it is first needed: the app starts although the provider is down. */
import { createRemoteJWKSet, type JWTVerifyGetKey, customFetch as joseFetch } from 'jose';
import * as oidc from 'openid-client';
import { SignInError } from './errors.js';
import type { Settings } from './settings.js';

export interface FoundProvider {
  readonly configuration: oidc.Configuration;
  /** As the provider spells it. */
  readonly issuer: string;
  /** Its keys for logout tokens: fetched when needed, again for an unknown kid, but not more often than every 30 seconds. */
  readonly keys: JWTVerifyGetKey;
  readonly ends_sessions: boolean;
  /**
   * Has the keys at hand that an ID token will be checked with: before a token is redeemed that can be redeemed once. Rejects with
   * SignInError `provider_unreachable`.
   */
  ready(): Promise<void>;
}

/** Throws SignInError `provider_unreachable`. */
export type Provider = () => Promise<FoundProvider>;

/** Seconds after which the discovery document is read again: an endpoint may have moved. */
const renew_seconds = 3600;
/** Seconds until that is tried again where it failed; meanwhile what is known is good enough. */
const retry_seconds = 60;

export function createProvider(settings: Settings): Provider {
  let found: FoundProvider | undefined;
  let renew_at = 0;
  let asking: Promise<FoundProvider> | undefined;

  async function ask(): Promise<FoundProvider> {
    try {
      found = await discover(settings);
      renew_at = settings.clock() + renew_seconds;
      return found;
    } catch (cause) {
      renew_at = settings.clock() + retry_seconds;
      throw unreachable(cause);
    } finally {
      asking = undefined;
    }
  }

  return async () => {
    if (found === undefined) {
      asking ??= ask();
      return asking;
    }
    if (settings.clock() >= renew_at && asking === undefined) {
      asking = ask();
      asking.catch(settings.onError); // nobody waits for it
    }
    return found;
  };
}

async function discover(settings: Settings): Promise<FoundProvider> {
  const { client_id, client_secret, id_token_signed_response_alg, timeout_seconds } = settings;
  const issuer = new URL(settings.issuer);
  // The signature of the ID token is always checked, not only where no TLS vouches for the answer.
  const execute = [oidc.enableNonRepudiationChecks];
  if (issuer.protocol === 'http:') execute.push(oidc.allowInsecureRequests); // readSettings takes it on loopback hosts alone
  const configuration = await oidc.discovery(
    issuer,
    client_id,
    { id_token_signed_response_alg, ...(client_secret !== undefined && { client_secret }) },
    authentication(settings),
    { execute, timeout: timeout_seconds, [oidc.customFetch]: openidFetch(settings) },
  );
  const { jwks_uri, end_session_endpoint, issuer: spelled } = configuration.serverMetadata();
  if (jwks_uri === undefined) throw new TypeError('the discovery document has no jwks_uri');
  const keys = createRemoteJWKSet(new URL(jwks_uri), {
    timeoutDuration: timeout_seconds * 1000,
    cacheMaxAge: keys_fresh_ms,
    [joseFetch]: (url, init) => settings.fetch(url, init),
  });
  return {
    ...{ configuration, issuer: spelled, keys, ends_sessions: end_session_endpoint !== undefined },
    async ready() {
      if (!keys.fresh)
        await keys.reload().catch((cause: unknown) => {
          throw unreachable(cause);
        });
      const jwks = keys.jwks();
      if (jwks !== undefined) oidc.setJwksCache(configuration, { jwks, uat: Math.floor(Date.now() / 1000) });
    },
  };
}

/** openid-client asks again for keys that are five minutes old; ours have some time left then. */
const keys_fresh_ms = 200_000;

function authentication(settings: Settings): oidc.ClientAuth {
  const { client_secret, private_key, token_endpoint_auth_method } = settings;
  if (private_key !== undefined) return oidc.PrivateKeyJwt(private_key);
  if (client_secret === undefined) return oidc.None();
  const post = token_endpoint_auth_method === 'client_secret_post';
  return post ? oidc.ClientSecretPost(client_secret) : oidc.ClientSecretBasic(client_secret);
}

/** openid-client states that a body may be undefined or null; fetch's own type states it otherwise. */
function openidFetch(settings: Settings): oidc.CustomFetch {
  return (url, { body, ...init }) =>
    settings.fetch(url, { ...init, ...(body !== undefined && body !== null && { body }) });
}

function unreachable(cause: unknown): SignInError {
  return new SignInError(
    'provider_unreachable',
    'The sign-in service cannot be reached at the moment. Please try again in a minute.',
    { cause },
  );
}

/** Codes of openid-client for answers that are none: the provider, or something before it, is out of order. */
const no_answer = new Set([
  'OAUTH_TIMEOUT',
  'OAUTH_ABORT',
  'OAUTH_RESPONSE_IS_NOT_CONFORM',
  'OAUTH_RESPONSE_IS_NOT_JSON',
  'OAUTH_PARSE_ERROR',
]);

/** What openid-client threw, as one of our errors. */
export function asSignInError(error: unknown): SignInError {
  if (error instanceof SignInError) return error;
  if (error instanceof oidc.AuthorizationResponseError) {
    const sentence =
      error.error === 'access_denied'
        ? 'You were not signed in.'
        : 'The sign-in service did not sign you in.';
    return new SignInError('provider_refused', sentence, { error: error.error, cause: error });
  }
  if (error instanceof oidc.ResponseBodyError) {
    const sentence = 'The sign-in could not be completed. Please try again.';
    return new SignInError('code_refused', sentence, { error: error.error, cause: error });
  }
  if (error instanceof oidc.WWWAuthenticateChallengeError) {
    const sentence = 'The sign-in service does not know this application.';
    return new SignInError('code_refused', sentence, { error: 'invalid_client', cause: error });
  }
  const silent =
    error instanceof oidc.ClientError ? no_answer.has(error.code ?? '') : error instanceof TypeError;
  if (silent) return unreachable(error);
  return new SignInError(
    'answer_invalid',
    'The answer of the sign-in service was not valid. Please try again.',
    {
      cause: error,
    },
  );
}
