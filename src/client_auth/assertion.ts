/**
 * Client assertions, whatever they are signed with: how they are sent, what they must say, and that each is good once. OpenID Connect
 * Core §9; RFC 7521 §4.2; RFC 7523 §3; RFC 8725 §3.11.
 */
import { decodeJwt, decodeProtectedHeader, errors, type JWTVerifyOptions, type JWTVerifyResult } from 'jose';
import { giveBack } from '../limits/counters.js';
import { reserveAssertion } from '../limits/registrations.js';
import { isMacAlg } from '../oauth/algorithms.js';
import { OAuthError } from '../oauth/errors.js';
import { profileOf } from '../oauth/profiles.js';
import { digest } from '../secrets.js';
import * as assertionIds from '../store/assertion_ids.js';
import { type Client, isStranger } from '../store/clients.js';
import type { AuthenticationRequest, Presented, VerifyContext } from './method.js';

const assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** Seconds that an assertion may be ahead of us, and for which it may be valid at most. */
const skew_seconds = 10;
const longest_seconds = 3600;

/** What it says it is signed with: that chooses the method, which the client must be registered for. */
type SignedWith = 'key' | 'secret';

/** The assertion of a request, if it is signed with a key, or with a secret. Throws `invalid_request` or `invalid_client`. */
export function presentedAssertion(
  { params }: AuthenticationRequest,
  signed_with: SignedWith,
): Presented | undefined {
  const assertion = params.get('client_assertion');
  if (assertion === undefined && !params.has('client_assertion_type')) return undefined;
  if (params.require('client_assertion_type') !== assertion_type) {
    throw new OAuthError('invalid_request', `client_assertion_type must be ${assertion_type}`);
  }
  const proof = params.require('client_assertion');
  const { sub, signed_with: actual } = readUnverified(proof);
  return actual === signed_with ? { client_id: sub, proof } : undefined;
}

/** Who an assertion says it is of, and how it is signed; nothing of it is believed before its signature. */
function readUnverified(assertion: string): { readonly sub: string; readonly signed_with: SignedWith } {
  try {
    const { sub } = decodeJwt(assertion);
    const { alg } = decodeProtectedHeader(assertion);
    return {
      sub: typeof sub === 'string' ? sub : '',
      signed_with: typeof alg === 'string' && isMacAlg(alg) ? 'secret' : 'key',
    };
  } catch (cause) {
    throw new OAuthError('invalid_client', 'client_assertion is not a JWT', { cause });
  }
}

/** The algorithms that a client may sign with, out of those of its method. */
export function allowedAlgs(client: Client, algs: readonly string[]): string[] {
  const { token_endpoint_auth_signing_alg: registered } = client;
  const { signing_algs } = profileOf(client);
  return algs.filter(
    (alg) => (registered === undefined || alg === registered) && signing_algs?.includes(alg) !== false,
  );
}

/** What jose is to check of an assertion's claims. */
export function assertionOptions(
  { config, now, endpoint = '/token' }: VerifyContext,
  client: Client,
): JWTVerifyOptions {
  const any = profileOf(client).assertion_audience === 'server';
  const { ISSUER, base, mtls_origin } = config;
  const bases = [ISSUER, ...(mtls_origin === undefined ? [] : [mtls_origin + base])]; // RFC 8705 §5
  return {
    issuer: client.client_id,
    subject: client.client_id,
    audience: any ? [ISSUER, ...bases.flatMap((at) => [`${at}/token`, at + endpoint])] : ISSUER,
    requiredClaims: ['exp', 'jti'],
    clockTolerance: skew_seconds,
    currentDate: new Date(now * 1000),
  };
}

/** What jose leaves to us. Throws a JOSEError. */
export function assertRightAssertion(
  { now }: Pick<VerifyContext, 'now'>,
  client: Client,
  { payload, protectedHeader: { typ } }: JWTVerifyResult,
): void {
  if (typ !== undefined && !/^(application\/)?(jwt|client-authentication\+jwt)$/i.test(typ))
    throw new errors.JWTInvalid('typ is of another kind of JWT');
  if (profileOf(client).assertion_audience === 'issuer_alone' && typeof payload.aud !== 'string')
    throw new errors.JWTInvalid('aud is not one text');
  if ((payload.exp ?? 0) <= now) throw new errors.JWTInvalid('exp is in the past'); // the tolerance is for nbf and iat
  if ((payload.iat ?? now) > now + 60) throw new errors.JWTInvalid('iat is in the future');
}

/**
 * Whether an assertion that verified is used for the first time. It is used up by this. Throws `temporarily_unavailable` with status 429
 * where a client that nobody answers for has used too many.
 */
export async function useOnce(
  context: VerifyContext,
  client: Client,
  { payload: { jti, exp } }: JWTVerifyResult,
): Promise<boolean> {
  const { db, now } = context;
  if (typeof jti !== 'string' || jti === '' || exp === undefined || exp > now + longest_seconds) return false;
  const row = [digest(`${client.client_id} ${jti}`), exp + skew_seconds] as const;
  return isStranger(client) ? useOfStranger(context, client, row) : assertionIds.insert(db, ...row);
}

/** The same within a limit: nobody fills a table by registering and signing (design §1.2). */
async function useOfStranger(
  { db, config, now }: VerifyContext,
  { client_id }: Client,
  row: readonly [id_hash: string, expires_at: number],
): Promise<boolean> {
  const used = await db.transaction(async (trx) => {
    const reservation = await reserveAssertion(trx, config, client_id, now);
    if (!reservation.allowed) return reservation;
    const fresh = await assertionIds.insert(trx, ...row);
    if (!fresh) await giveBack(trx, reservation.key_hashes); // whoever replays one uses up nothing of the client's
    return fresh;
  });
  if (typeof used === 'boolean') return used;
  throw new OAuthError('temporarily_unavailable', 'this client has used too many assertions in this hour', {
    status: 429,
    retry_after: used.retry_after,
  });
}

/** What the client is told says no more than for a wrong secret; the log says why. */
export function failed(cause: unknown): OAuthError {
  return new OAuthError('invalid_client', 'client authentication failed', { cause });
}
