/** none: a public client only says who it is. RFC 6749 §3.2.1. */
import { type ClientAuthentication, onlyNamed } from './method.js';

export const none: ClientAuthentication = {
  method: 'none',
  by_connection: true,

  presented: onlyNamed,

  verify: async () => true,
};
