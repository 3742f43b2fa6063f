/**
 * POST /users/login/factor: goes on with a sign-in of the first-party API that owes a second factor. The same limits and the same single
 * use as at the page. Decisions 29; hardening rows 13 and 14.
 */
import type { Middleware } from 'koa';
import { type TypedWay, typedProof, typedWays } from '../actions/factor_proofs.js';
import { proveFactor } from '../actions/sign_in.js';
import { parseNetworks } from '../http/client_address.js';
import { readJson } from '../http/read.js';
import { signInVisit } from '../http/visit.js';
import { OAuthError } from '../oauth/errors.js';
import { type Params, parseJsonParams } from '../oauth/params.js';
import { digest } from '../secrets.js';
import * as signIns from '../store/sign_ins.js';
import { assertFrom, readClient } from './caller.js';
import { mfaTokenOver, openMfaToken } from './mfa_token.js';
import { answerSignedIn, readWanted, type SignInApiDeps } from './sign_in.js';

export function loginFactor(deps: SignInApiDeps): Middleware {
  const trusted = parseNetworks(deps.config.TRUSTED_PROXIES);
  return async (ctx) => {
    const now = deps.clock();
    const params = await readJson(ctx);
    const client = await readClient(deps, params, now);
    const ring = await deps.keys.get();
    const token = openMfaToken(ring, params.require('mfa_token'), client.client_id);
    const { mode, scope, resource, cookie } = token;
    assertFrom(ctx, client, mode);
    // As it was asked for with the password, judged anew: the registration may have changed since.
    const asked = parseJsonParams(JSON.stringify({ scope, ...(resource.length > 0 && { resource }) }));
    const wanted = await readWanted(deps, asked, { client, mode, ring });
    const { way, code } = readProof(params);

    const sign_in = await signIns.findLive(deps.db, digest(cookie), now);
    if (sign_in === undefined) throw mfaTokenOver();
    const here = { current: null, visit: await signInVisit(deps, ctx, trusted) };
    const proof = typedProof(way, code, { ring, config: deps.config, visit: here.visit, now });
    const signedIn = await proveFactor(deps, sign_in, { proof, here }, now);
    await answerSignedIn(deps, ctx, wanted, signedIn);
  };
}

/** Exactly one of the ways, under its own name. */
function readProof(params: Params): { readonly way: TypedWay; readonly code: string } {
  const [way, ...more] = typedWays.filter((name) => params.has(name));
  if (way === undefined || more.length > 0)
    throw new OAuthError('invalid_request', `exactly one of ${typedWays.join(', ')} must be there`);
  return { way, code: params.require(way) };
}
