/** grant_type=client_credentials: a client acts for itself. RFC 6749 §4.4; RFC 9068 §2.2. Writes nothing. */
import { openidScopes } from '../claims/index.js';
import { isPublic } from '../oauth/client_rules.js';
import { OAuthError } from '../oauth/errors.js';
import { parseScope, scopeWords, without } from '../oauth/scope.js';
import { type Grant, grantedAudience } from './grant.js';

export const clientCredentials: Grant = {
  grant_type: 'client_credentials',
  stores: false,

  exchange(request) {
    const { client, config, params, requested_resources } = request;
    if (isPublic(client))
      throw new OAuthError('unauthorized_client', 'client_credentials is for confidential clients alone');

    // Nobody is signed in, so nothing of OpenID Connect can be asked for.
    const allowed = without(scopeWords(client.scope), openidScopes);
    const asked = parseScope(params.get('scope'));
    const beyond = asked.find((word) => !allowed.includes(word));
    if (beyond !== undefined)
      throw new OAuthError('invalid_scope', `scope ${beyond} is not allowed to this client`);

    const { resources } = request;
    // Nobody consents here, so an API that a client has nothing to do with must not get a token of it (RFC 8707 §2).
    const foreign = requested_resources.find(
      (resource) =>
        ![config.ISSUER, client.default_resource].includes(resource) &&
        !(resources.get(resource) ?? []).some((word) => allowed.includes(word)),
    );
    if (foreign !== undefined)
      throw new OAuthError('invalid_target', `this client has no scope at ${foreign.slice(0, 200)}`);

    const scope = asked.length > 0 ? asked : allowed;
    const access = grantedAudience(request, scope, requested_resources);
    if (asked.length > 0 && access.scope.length === 0)
      throw new OAuthError(
        'invalid_scope',
        `nothing of scope is of ${access.audience.join(' ')}: name its API by resource`,
      );
    return { user: null, ...access, refresh_token: null };
  },
};
