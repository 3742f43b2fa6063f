/**
 * POST /users/login: an application of the operator's own takes email and password itself. Same gates, sessions, authorizations and
 * tokens as the login page and the token endpoint. Decisions 29; hardening rows 14–16.
 */
import type { Context, Middleware } from 'koa';
import { typedWays, waysOf } from '../actions/factor_proofs.js';
import { signIn } from '../actions/password_sign_in.js';
import { putOffFactor, type SignedIn, type StepAhead } from '../actions/sign_in.js';
import { noStoreJson } from '../http/answer.js';
import { parseNetworks } from '../http/client_address.js';
import { knownDevice } from '../http/device.js';
import { readJson } from '../http/read.js';
import { signInVisit } from '../http/visit.js';
import { sourceOf } from '../limits/attempts.js';
import type { SignInVisit } from '../mail/new_device.js';
import { readMode } from '../oauth/direct_sign_in.js';
import { errorObject, OAuthError } from '../oauth/errors.js';
import { digest } from '../secrets.js';
import * as signIns from '../store/sign_ins.js';
import * as users from '../store/users.js';
import { assertFrom, readClient } from './caller.js';
import { sealMfaToken } from './mfa_token.js';
import { answerSignedIn, readWanted, type SignInApiDeps, type Wanted } from './sign_in.js';

export function login(deps: SignInApiDeps): Middleware {
  const trusted = parseNetworks(deps.config.TRUSTED_PROXIES);
  return async (ctx) => {
    const now = deps.clock();
    const params = await readJson(ctx);
    const client = await readClient(deps, params, now);
    const mode = readMode(params, ctx.get('origin'));
    assertFrom(ctx, client, mode);
    const ring = await deps.keys.get();
    const wanted = await readWanted(deps, params, { client, mode, ring });

    const visit = await signInVisit(deps, ctx, trusted);
    const begun = await signIn(
      deps,
      {
        email: params.require('email'),
        password: params.require('password'),
        source: sourceOf(visit.address),
        visit,
        device: (login) => knownDevice(ctx, deps.config, ring, login),
        remembered: () => null, // by a page of this server alone
        current: null,
        request_id: null,
      },
      now,
    );
    if (begun.session !== null) return answerSignedIn(deps, ctx, wanted, begun.session);
    const put_off = await putOff(deps, begun.sign_in, visit);
    if (put_off !== null) return answerSignedIn(deps, ctx, wanted, put_off);
    return answerMissing(deps, ctx, wanted, begun.sign_in);
  };
}

/** Goes on without setting up a second factor, where that may still be put off: here is no page for it. Null where it may not. */
async function putOff(
  deps: SignInApiDeps,
  { step, cookie }: StepAhead,
  visit: SignInVisit,
): Promise<SignedIn | null> {
  const now = deps.clock();
  const sign_in = step === 'enrol' ? await signIns.findLive(deps.db, digest(cookie), now) : undefined;
  const user = sign_in && (await users.find(deps.db, sign_in.user_id));
  if (sign_in === undefined || (user?.factor_due_at ?? 0) <= now) return null;
  return putOffFactor(deps, sign_in, { current: null, visit }, now);
}

/** Tells that a second factor is missing, with a handle to go on: never a token. */
async function answerMissing(
  deps: SignInApiDeps,
  ctx: Context,
  { client, mode, scope, resource, ring }: Wanted,
  { step, cookie }: StepAhead,
): Promise<void> {
  if (step === 'enrol')
    throw new OAuthError(
      'interaction_required',
      'a second factor has to be set up on a page of this server',
      {
        status: 401,
      },
    );
  const error = new OAuthError('mfa_required', 'a second factor is missing');
  const sign_in = await signIns.findLive(deps.db, digest(cookie), deps.clock());
  const { client_id } = client;
  const mfa_token = sealMfaToken(ring, { client_id, cookie, mode, scope: scope.join(' '), resource });
  const ways = sign_in === undefined ? [] : await waysOf(deps, sign_in.user_id);
  const mfa_methods = typedWays.filter((way) => ways.includes(way)); // the others are for pages of ours
  noStoreJson(ctx, { ...errorObject(deps.config.ISSUER, error), mfa_token, mfa_methods }, error.status);
}
