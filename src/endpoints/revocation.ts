/** Revocation endpoint, POST /revoke: a client gives back a token of its own. RFC 7009. */
import type { Middleware } from 'koa';
import { revokeToken } from '../actions/tokens.js';
import { authenticateClient } from '../client_auth/index.js';
import type { Deps } from '../deps.js';
import { noStoreJson } from '../http/answer.js';
import { clientCertificates } from '../http/client_certificate.js';
import { readMachineForm } from '../http/read.js';

type RevocationDeps = Pick<
  Deps,
  'caches' | 'clientKeys' | 'clock' | 'config' | 'db' | 'keys' | 'log' | 'statusIndices'
>;

/** `token_type_hint` is not needed: the kinds of token cannot be mistaken for each other. */
export function revocation(deps: RevocationDeps): Middleware {
  const certificateOf = clientCertificates(deps.config);
  return async (ctx) => {
    const now = deps.clock();
    const params = await readMachineForm(ctx);
    const { authorization } = ctx.headers;
    const request = { authorization, params, certificate: certificateOf(ctx) };
    const client = await authenticateClient({ ...deps, now, endpoint: '/revoke' }, request);
    await revokeToken(deps, client, params.require('token'), now);
    noStoreJson(ctx, {}); // the same whether the token was known or not (§2.2)
  };
}
