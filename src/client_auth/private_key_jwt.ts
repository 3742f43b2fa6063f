/** private_key_jwt: the client signs an assertion with its own key. OpenID Connect Core §9. */
import { errors, type JWTVerifyGetKey, type JWTVerifyResult, jwtVerify } from 'jose';
import { jwsAlgs } from '../oauth/algorithms.js';
import type { Client } from '../store/clients.js';
import {
  allowedAlgs,
  assertionOptions,
  assertRightAssertion,
  failed,
  presentedAssertion,
  useOnce,
} from './assertion.js';
import type { ClientAuthentication, VerifyContext } from './method.js';

export const privateKeyJwt: ClientAuthentication = {
  method: 'private_key_jwt',
  presented: (request) => presentedAssertion(request, 'key'),

  async verify(context, client, proof) {
    const verified = await verifyAssertion(context, client, proof);
    return verified !== undefined && useOnce(context, client, verified);
  },
};

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

async function check(
  context: VerifyContext,
  client: Client,
  assertion: string,
  keys: JWTVerifyGetKey,
): Promise<JWTVerifyResult> {
  const algorithms = allowedAlgs(client, jwsAlgs);
  const result = await jwtVerify(assertion, keys, { ...assertionOptions(context, client), algorithms });
  assertRightAssertion(context, client, result);
  return result;
}
