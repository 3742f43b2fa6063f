/**
 * The two halves of a visit to another provider: the address that a browser is sent to, and what its answer is worth. Authorization code
 * with PKCE (S256), state and nonce; the issuer in the answer (RFC 9207). OpenID Connect Core §3.1; RFC 6749 §4.1; RFC 7636.
 */
import * as oidc from 'openid-client';
import type { Config } from '../config.js';
import { OutboundError } from '../limits/outbound.js';
import { scopeWords } from '../oauth/scope.js';
import type { IdentityProviderRow } from '../store/identity_providers.js';
import { callbackUri } from './addresses.js';
import type { Upstream } from './configurations.js';
import { UpstreamError } from './errors.js';
import { namedClaims, type Profile, primaryEmail, profileOf, subjectOf } from './profile.js';
import { nonceOf, type Transaction, verifierOf } from './transaction.js';

interface ExchangeDeps {
  readonly config: Pick<Config, 'ISSUER'>;
  readonly upstream: Upstream;
}

export interface Visit {
  readonly transaction: Transaction;
  /** The transaction, sealed. */
  readonly state: string;
  /** The address that the person typed. */
  readonly login_hint: string | null;
}

/** Throws UpstreamError `unreachable`. */
export async function authorizationUrl(
  { config, upstream }: ExchangeDeps,
  provider: IdentityProviderRow,
  { transaction, state, login_hint }: Visit,
  now: number,
): Promise<string> {
  const configuration = await upstream.configuration(provider, now);
  const openid = provider.kind === 'oidc';
  return oidc.buildAuthorizationUrl(configuration, {
    redirect_uri: callbackUri(config, provider.id),
    ...(provider.scope !== '' && { scope: provider.scope }),
    state,
    code_challenge: await oidc.calculatePKCECodeChallenge(verifierOf(transaction)),
    code_challenge_method: 'S256',
    ...(openid && { nonce: nonceOf(transaction) }),
    ...(openid && login_hint !== null && { login_hint }),
    ...(openid && transaction.again && { prompt: 'login', max_age: '0' }),
  }).href;
}

/** Who a provider says it is. */
export interface Arrival {
  readonly provider: IdentityProviderRow;
  readonly subject: string;
  /** Its session there, where it has a name (Back-Channel Logout §2.1). */
  readonly sid: string | null;
  /** For the sign-out there. Null for another server than an OpenID provider. */
  readonly id_token: string | null;
  /** Whether the provider is trusted to tell that there were two factors, and does. */
  readonly mfa: boolean;
  /** What else it says. Asked for when somebody needs it. Throws UpstreamError `unreachable` or `invalid`. */
  readonly profile: () => Promise<Profile>;
}

/** Clocks differ a little: seconds. */
const tolerance_seconds = 60;

/**
 * Redeems the code of an answer. `url` is the address that the browser came back to. Throws UpstreamError; `not_fresh` where the person was
 * to prove anew who they are, and the provider does not say that they did.
 */
export async function redeem(
  { config, upstream }: ExchangeDeps,
  provider: IdentityProviderRow,
  {
    url,
    transaction,
    state,
  }: { readonly url: URL; readonly transaction: Transaction; readonly state: string },
  now: number,
): Promise<Arrival> {
  const configuration = await upstream.configuration(provider, now);
  const answer = new URL(callbackUri(config, provider.id));
  answer.search = url.search;
  // A server that we know no issuer of cannot be told from another by it: its own redirect URI does that (RFC 9700 §4.4.2.2).
  if (provider.issuer === null) answer.searchParams.delete('iss');
  const openid = provider.kind === 'oidc';
  const checks = {
    expectedState: state,
    pkceCodeVerifier: verifierOf(transaction),
    ...(openid && { expectedNonce: nonceOf(transaction), idTokenExpected: true }),
  };
  const tokens = await oidc.authorizationCodeGrant(configuration, answer, checks).catch(asUpstreamError);
  if (!openid) return byUserinfo(configuration, provider, tokens.access_token);

  const claims = tokens.claims();
  const subject = subjectOf(claims?.sub);
  if (claims === undefined || subject === undefined)
    throw new UpstreamError('invalid', 'the ID token names nobody');
  if (transaction.again && !(Number(claims.auth_time) >= transaction.started_at - tolerance_seconds))
    throw new UpstreamError('not_fresh', 'the ID token has no auth_time since the person was sent there');
  return {
    provider,
    subject,
    sid: typeof claims.sid === 'string' && claims.sid !== '' ? claims.sid : null,
    id_token: tokens.id_token ?? null,
    mfa: provider.trust_mfa === 1 && saysMfa(provider, claims),
    async profile() {
      const named = namedClaims(provider, claims);
      if (named.email !== undefined || !configuration.serverMetadata().userinfo_endpoint)
        return profileOf(named);
      const more = await oidc
        .fetchUserInfo(configuration, tokens.access_token, claims.sub)
        .catch(asUpstreamError);
      return profileOf(namedClaims(provider, { ...claims, ...more }));
    },
  };
}

/** RFC 8176 has a value for it; some have acr values of their own instead. */
function saysMfa(provider: IdentityProviderRow, { amr, acr }: oidc.IDToken): boolean {
  if (Array.isArray(amr) && amr.includes('mfa')) return true;
  return typeof acr === 'string' && scopeWords(provider.mfa_acr_values).includes(acr);
}

/** A server without ID tokens: whose access token it is, its userinfo endpoint says, to us alone and over TLS. */
async function byUserinfo(
  configuration: oidc.Configuration,
  provider: IdentityProviderRow,
  access_token: string,
): Promise<Arrival> {
  const ask = (endpoint: string) => askWithToken(configuration, endpoint, access_token);
  const said = await ask(provider.userinfo_endpoint ?? '');
  if (typeof said !== 'object' || said === null || Array.isArray(said))
    throw new UpstreamError('invalid', 'the userinfo endpoint answered no object');
  const named = namedClaims(provider, said as Readonly<Record<string, unknown>>);
  const subject = subjectOf(named.sub);
  if (subject === undefined) throw new UpstreamError('invalid', 'the userinfo endpoint names nobody');
  return {
    ...{ provider, subject, sid: null, id_token: null, mfa: false },
    async profile() {
      const { emails_endpoint } = provider;
      return profileOf(
        emails_endpoint === null ? named : { ...named, ...primaryEmail(await ask(emails_endpoint)) },
      );
    },
  };
}

async function askWithToken(
  configuration: oidc.Configuration,
  endpoint: string,
  access_token: string,
): Promise<unknown> {
  const headers = new Headers({ accept: 'application/json' });
  const answer = await oidc
    .fetchProtectedResource(configuration, access_token, new URL(endpoint), 'GET', null, headers)
    .catch(asUpstreamError);
  if (answer.status !== 200) throw new UpstreamError('unreachable', `${endpoint} answered ${answer.status}`);
  return answer.json().catch((cause: unknown) => {
    throw new UpstreamError('invalid', `${endpoint} answered no JSON`, { cause });
  });
}

/** Codes of openid-client for answers that are none: the provider, or something before it, is out of order. */
const no_answer = new Set([
  'OAUTH_TIMEOUT',
  'OAUTH_ABORT',
  'OAUTH_RESPONSE_IS_NOT_CONFORM',
  'OAUTH_RESPONSE_IS_NOT_JSON',
  'OAUTH_PARSE_ERROR',
]);

function asUpstreamError(cause: unknown): never {
  const told = (problem: UpstreamError['problem'], message: string): never => {
    throw new UpstreamError(problem, message, { cause });
  };
  if (cause instanceof oidc.AuthorizationResponseError) {
    if (cause.error === 'access_denied') return told('cancelled', 'the person did not agree');
    const down = cause.error === 'temporarily_unavailable' || cause.error === 'server_error';
    return told(down ? 'unreachable' : 'refused', `the provider answered ${cause.error}`);
  }
  if (cause instanceof oidc.ResponseBodyError)
    return told('refused', `the token endpoint answered ${cause.error}`);
  if (cause instanceof oidc.WWWAuthenticateChallengeError)
    return told('refused', 'the provider did not take our credentials');
  const silent =
    cause instanceof OutboundError || (cause instanceof oidc.ClientError && no_answer.has(cause.code ?? ''));
  if (silent || isGateError(cause)) return told('unreachable', 'the provider did not answer as it should');
  return told('invalid', 'the answer is not valid');
}

/** The library wraps what its fetch threw. */
function isGateError(error: unknown): boolean {
  return error instanceof Error && error.cause instanceof OutboundError;
}
