/** client_secret_jwt: the client signs an assertion with its secret, an HMAC. OpenID Connect Core §9. */
import { type JWTVerifyResult, jwtVerify } from 'jose';
import { macAlgs } from '../oauth/algorithms.js';
import type { Client } from '../store/clients.js';
import {
  allowedAlgs,
  assertionOptions,
  assertRightAssertion,
  failed,
  presentedAssertion,
  useOnce,
} from './assertion.js';
import { signingSecretOf } from './client_secret.js';
import type { ClientAuthentication, VerifyContext } from './method.js';

export const clientSecretJwt: ClientAuthentication = {
  method: 'client_secret_jwt',
  presented: (request) => presentedAssertion(request, 'secret'),

  async verify(context, client, proof) {
    const secret = signingSecretOf(await context.keys.get(), client);
    if (secret === undefined) return false;
    return useOnce(context, client, await check(context, client, proof, secret));
  },
};

async function check(
  context: VerifyContext,
  client: Client,
  assertion: string,
  secret: Buffer,
): Promise<JWTVerifyResult> {
  try {
    const algorithms = allowedAlgs(client, macAlgs);
    const result = await jwtVerify(assertion, secret, { ...assertionOptions(context, client), algorithms });
    assertRightAssertion(context, client, result);
    return result;
  } catch (error) {
    throw failed(error);
  }
}
