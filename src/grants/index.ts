/** Every grant_type. One line each. */
export { authorizationCode } from './authorization_code.js';
export { clientCredentials } from './client_credentials.js';
export { refreshToken } from './refresh_token.js';
