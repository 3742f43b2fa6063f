/** Client metadata to be parsed, good but for what a test changes. */
import { parseClientMetadata } from '../../src/oauth/client_metadata.js';

export const goodMetadata = { client_name: 'Shop', redirect_uris: ['https://shop.example/cb'] };

export function parseChanged(changes: object, allow_loopback_http = false) {
  return parseClientMetadata({ ...goodMetadata, ...changes }, { allow_loopback_http });
}
