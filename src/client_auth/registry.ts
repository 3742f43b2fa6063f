/** Every way for a client to prove who it is. One line each. */
export { clientSecretBasic } from './client_secret_basic.js';
export { clientSecretJwt } from './client_secret_jwt.js';
export { clientSecretPost } from './client_secret_post.js';
export { none } from './none.js';
export { privateKeyJwt } from './private_key_jwt.js';
export { selfSignedTlsClientAuth } from './self_signed_tls_client_auth.js';
export { tlsClientAuth } from './tls_client_auth.js';
