/** private_key_jwt: the client signs an assertion with its own key. OpenID Connect Core §9; RFC 7523 §3; RFC 8725 §3.11. */
import { decodeJwt, errors, type JWTVerifyGetKey, type JWTVerifyResult, jwtVerify } from 'jose';
import { assertion_algs } from '../oauth/client_metadata.js';
import { OAuthError } from '../oauth/errors.js';
import { profileOf } from '../oauth/profiles.js';
import { digest } from '../secrets.js';
import * as assertionIds from '../store/assertion_ids.js';
import type { Client } from '../store/clients.js';
import type { ClientAuthentication, VerifyContext } from './method.js';

const assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** Seconds that an assertion may be ahead of us, and for which it may be valid at most. */
const skew_seconds = 10;
const longest_seconds = 3600;

export const privateKeyJwt: ClientAuthentication = {
  method: 'private_key_jwt',

  presented({ params }) {
    const assertion = params.get('client_assertion');
    if (assertion === undefined && !params.has('client_assertion_type')) return undefined;
    if (params.require('client_assertion_type') !== assertion_type) {
      throw new OAuthError('invalid_request', `client_assertion_type must be ${assertion_type}`);
    }
    const proof = params.require('client_assertion');
    return { client_id: subjectOf(proof), proof };
  },

  async verify(context, client, proof) {
    const verified = await verifyAssertion(context, client, proof);
    const { jti, exp } = verified?.payload ?? {};
    if (typeof jti !== 'string' || jti === '' || exp === undefined || exp > context.now + longest_seconds)
      return false;
    return assertionIds.insert(context.db, digest(`${client.client_id} ${jti}`), exp + skew_seconds);
  },
};

/** Who an assertion says it is of; nothing of it is believed before its signature. */
function subjectOf(assertion: string): string {
  try {
    const { sub } = decodeJwt(assertion);
    return typeof sub === 'string' ? sub : '';
  } catch (cause) {
    throw new OAuthError('invalid_client', 'client_assertion is not a JWT', { cause });
  }
}

async function verifyAssertion(
  context: VerifyContext,
  client: Client,
  assertion: string,
): Promise<JWTVerifyResult | undefined> {
  const keys = await context.clientKeys.find(client, context.now);
  if (keys === undefined) return undefined;
  try {
    return await check(context, client, assertion, keys);
  } catch (error) {
    // It does not verify, or a key of the client's is none (too short, malformed): the client is not authenticated.
    if (!(error instanceof errors.JWKSNoMatchingKey)) throw failed(error);
  }
  const renewed = await context.clientKeys.renew(client, context.now);
  if (renewed === undefined || renewed === keys) return undefined;
  return check(context, client, assertion, renewed).catch((error: unknown) => {
    throw failed(error); // not with the newest keys either
  });
}

/** What the client is told says no more than for a wrong secret; the log says why. */
function failed(cause: unknown): OAuthError {
  return new OAuthError('invalid_client', 'client authentication failed', { cause });
}

async function check(
  { config, now }: VerifyContext,
  client: Client,
  assertion: string,
  keys: JWTVerifyGetKey,
): Promise<JWTVerifyResult> {
  const alg = client.token_endpoint_auth_signing_alg;
  const { signing_algs, assertion_audience } = profileOf(client);
  const algs = assertion_algs.filter((one) => signing_algs?.includes(one) !== false);
  const result = await jwtVerify(assertion, keys, {
    algorithms: alg === undefined ? algs : [alg],
    issuer: client.client_id,
    subject: client.client_id,
    audience: assertion_audience === 'server' ? [config.ISSUER, `${config.ISSUER}/token`] : config.ISSUER,
    requiredClaims: ['exp', 'jti'],
    clockTolerance: skew_seconds,
    currentDate: new Date(now * 1000),
  });
  const { typ } = result.protectedHeader;
  if (typ !== undefined && typ !== 'JWT' && typ !== 'client-authentication+jwt')
    throw new errors.JWTInvalid('typ is of another kind of JWT');
  if (assertion_audience === 'issuer_alone' && typeof result.payload.aud !== 'string')
    throw new errors.JWTInvalid('aud is not one text');
  if ((result.payload.exp ?? 0) <= now) throw new errors.JWTInvalid('exp is in the past'); // the tolerance is for nbf and iat
  if ((result.payload.iat ?? now) > now + 60) throw new errors.JWTInvalid('iat is in the future');
  return result;
}
