/**
 * Pushed authorization request endpoint, POST /par: a client brings its authorization request here first, every check is made at once,
 * and the browser carries a reference. RFC 9126.
 */
import type { Middleware } from 'koa';
import { authenticateClient } from '../client_auth/index.js';
import type { Deps } from '../deps.js';
import { noStoreJson } from '../http/answer.js';
import { readAuthorizationRequest } from '../http/authorization_request.js';
import { clientCertificates } from '../http/client_certificate.js';
import { push } from '../http/pushed_requests.js';
import { readMachineForm } from '../http/read.js';
import { bringsObject, readRequestObject } from '../http/request_object.js';
import { readReplyTo, requestedRedirectUri } from '../oauth/authorization_request.js';
import { OAuthError } from '../oauth/errors.js';
import { promptsOf } from '../oauth/prompt.js';
import { assertTransport } from '../oauth/request_transport.js';

type PushDeps = Pick<
  Deps,
  'caches' | 'clientKeys' | 'clock' | 'config' | 'db' | 'keys' | 'log' | 'requestUris'
>;

export function pushedAuthorizationRequest(deps: PushDeps): Middleware {
  const certificateOf = clientCertificates(deps.config);
  return async (ctx) => {
    const now = deps.clock();
    const params = await readMachineForm(ctx);
    const { authorization } = ctx.headers;
    const presented = { authorization, params, certificate: certificateOf(ctx) };
    const client = await authenticateClient({ ...deps, now, endpoint: '/par' }, presented);
    if (params.has('request_uri'))
      throw new OAuthError('invalid_request', 'request_uri cannot be pushed: send the request itself');
    const signed = bringsObject(params);
    const asked = signed ? await readRequestObject(deps, { params, client, pushed: true, now }) : params;
    assertTransport(client, deps.config, { signed, pushed: true });
    const prompts = promptsOf(deps.config.USER_REGISTRATION);
    const reply = readReplyTo(asked, requestedRedirectUri(asked, client), client, prompts);
    const request = await readAuthorizationRequest(deps, asked, { client, reply, now });
    noStoreJson(ctx, await push(deps, client, request, now), 201);
    deps.log.info({ event: 'request_pushed', client_id: client.client_id }, 'authorization request pushed');
  };
}
