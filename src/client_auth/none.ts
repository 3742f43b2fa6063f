/** none: a public client only says who it is. RFC 6749 §3.2.1. */
import type { ClientAuthentication } from './method.js';

export const none: ClientAuthentication = {
  method: 'none',

  presented({ params, authorization }) {
    const client_id = params.get('client_id');
    const proves =
      authorization !== undefined || params.has('client_secret') || params.has('client_assertion');
    return client_id === undefined || proves ? undefined : { client_id, proof: '' };
  },

  verify: async () => true,
};
