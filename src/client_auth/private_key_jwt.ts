/** private_key_jwt: the client signs an assertion with its own key. OpenID Connect Core §9. */
import { type JWTVerifyGetKey, type JWTVerifyResult, jwtVerify } from 'jose';
import { OutboundError } from '../limits/outbound.js';
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
import { verifyWithKeys } from './client_keys.js';
import type { ClientAuthentication, VerifyContext } from './method.js';

export const privateKeyJwt: ClientAuthentication = {
  method: 'private_key_jwt',
  presented: (request) => presentedAssertion(request, 'key'),

  async verify(context, client, proof) {
    const verified = await verifyAssertion(context, client, proof);
    return verified !== undefined && useOnce(context, client, verified);
  },
};

/** It may not verify, or a key of the client's may be none (too short, malformed): then the client is not authenticated. */
async function verifyAssertion(
  context: VerifyContext,
  client: Client,
  assertion: string,
): Promise<JWTVerifyResult | undefined> {
  try {
    const { clientKeys, now } = context;
    return await verifyWithKeys(clientKeys, client, now, (keys) => check(context, client, assertion, keys));
  } catch (error) {
    throw error instanceof OutboundError ? error : failed(error);
  }
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
