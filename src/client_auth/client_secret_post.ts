/** client_secret_post: id and secret as parameters of the body. RFC 6749 §2.3.1. */
import { verifySecret } from './client_secret.js';
import type { ClientAuthentication } from './method.js';

export const clientSecretPost: ClientAuthentication = {
  method: 'client_secret_post',

  presented({ params }) {
    const proof = params.get('client_secret');
    return proof === undefined ? undefined : { client_id: params.require('client_id'), proof };
  },

  verify: async (_context, client, proof) => verifySecret(client, proof),
};
