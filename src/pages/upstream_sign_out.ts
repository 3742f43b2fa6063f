/**
 * GET /upstream/:id/sign-out, from here to the provider that a session came from, after it ended here; and /upstream/:id/signed-out, back.
 * OpenID Connect RP-Initiated Logout §2, §3.
 */
import type { RouterContext } from '@koa/router';
import type { Deps } from '../deps.js';
import { seeOther } from '../http/answer.js';
import { browserOf } from '../http/browser.js';
import { openPending } from '../http/pending.js';
import { readQuery } from '../http/read.js';
import { afterSignOut } from '../http/sign_out.js';
import { upstreamSignOutUrl } from '../http/upstream_sign_out.js';

type SignOutDeps = Pick<Deps, 'caches' | 'clock' | 'config' | 'keys' | 'log' | 'upstream'>;

export function upstreamSignOutPage(deps: SignOutDeps): (ctx: RouterContext) => Promise<void> {
  return async (ctx) => {
    const here = { browser: browserOf(ctx, deps.config), now: deps.clock() };
    const sealed = readQuery(ctx).require('request');
    const { request: page } = openPending(await deps.keys.get(), 'signed_out', sealed, here);
    const { upstream } = page.ended;
    const url = upstream === null ? null : await upstreamSignOutUrl(deps, ctx, page, upstream);
    if (url === null) return afterSignOut(deps, ctx, page.request, { ...page.ended, upstream: null });
    ctx.set('Referrer-Policy', 'no-referrer');
    seeOther(ctx, url);
  };
}

export function upstreamSignedOut(deps: SignOutDeps): (ctx: RouterContext) => Promise<void> {
  return async (ctx) => {
    const here = { browser: browserOf(ctx, deps.config), now: deps.clock() };
    const state = readQuery(ctx).get('state');
    if (state === undefined) return seeOther(ctx, `${deps.config.base}/signed-out`);
    const { request: page } = openPending(await deps.keys.get(), 'signed_out', state, here);
    await afterSignOut(deps, ctx, page.request, page.ended);
  };
}
