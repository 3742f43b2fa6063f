/** client_secret_basic: id and secret, form-urlencoded, then base64. RFC 6749 §2.3.1; RFC 7617. */
import { OAuthError } from '../oauth/errors.js';
import { decode } from '../oauth/params.js';
import { verifySecret } from './client_secret.js';
import type { ClientAuthentication } from './method.js';

export const clientSecretBasic: ClientAuthentication = {
  method: 'client_secret_basic',

  presented({ authorization }) {
    const credentials = /^basic +([A-Za-z0-9+/_=-]+) *$/i.exec(authorization ?? '')?.[1];
    if (credentials === undefined) return undefined;
    const pair = Buffer.from(credentials, 'base64').toString('utf8');
    const colon = pair.indexOf(':');
    if (colon < 0)
      throw new OAuthError(
        'invalid_client',
        'the Authorization header holds no colon between client_id and client_secret',
      );
    try {
      return { client_id: decode(pair.slice(0, colon)), proof: decode(pair.slice(colon + 1)) };
    } catch (cause) {
      throw new OAuthError('invalid_client', 'the Authorization header is not form-urlencoded', { cause });
    }
  },

  verify: async (_context, client, proof) => verifySecret(client, proof),
};
