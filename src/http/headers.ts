/**
 * Security headers, written out (decisions 17). There is no form-action and no opener policy on pages of the authorization and
 * logout flows: the one blocks login → 303 → client, the other cuts popup sign-in.
 */
import type { Context, Middleware } from 'koa';
import type { Config } from '../config.js';

const contentSecurityPolicy = [
  "default-src 'none'",
  "style-src 'self'",
  "img-src 'self' data:",
  "script-src 'self'",
  "base-uri 'none'",
].join('; ');

/** For everything. */
export function transportHeaders(config: Pick<Config, 'loopback'>): Middleware {
  return (ctx, next) => {
    if (!config.loopback) ctx.res.setHeader('Strict-Transport-Security', 'max-age=63072000');
    ctx.res.setHeader('X-Content-Type-Options', 'nosniff');
    return next();
  };
}

/** For the page that posts an authorization response: it may be framed, so that prompt=none works there (protocol.md §30.7). */
export function framablePageHeaders(ctx: Context): void {
  ctx.set('Content-Security-Policy', contentSecurityPolicy);
  ctx.set('Referrer-Policy', 'no-referrer');
}

/** For the frame that applications ask about a sign-in: whoever may frame it learns nothing of others (views/assets/check_session.js). */
export function anyFrameHeaders(ctx: Context): void {
  ctx.set(
    'Content-Security-Policy',
    "default-src 'none'; script-src 'self'; base-uri 'none'; frame-ancestors *",
  );
  ctx.set('Referrer-Policy', 'no-referrer');
}

/** For pages. Redirects do without those about framing: an answer to prompt=none must work in a frame (protocol.md §30.7). */
export const pageHeaders: Middleware = async (ctx, next) => {
  await next();
  if (ctx.response.type !== 'text/html' || ctx.res.hasHeader('Content-Security-Policy')) return;
  unframable(ctx, contentSecurityPolicy);
};

/** For the page that tells applications of a sign-out in frames: these origins, and no others. Front-Channel Logout §3. */
export function framingPageHeaders(ctx: Context, origins: ReadonlySet<string>): void {
  ctx.set('Referrer-Policy', 'no-referrer'); // its address says who took part in the session
  unframable(ctx, `${contentSecurityPolicy}; frame-src ${[...origins].join(' ')}`);
}

function unframable(ctx: Context, policy: string): void {
  ctx.set('Content-Security-Policy', `${policy}; frame-ancestors 'none'`);
  ctx.set('X-Frame-Options', 'DENY');
  if (!ctx.res.hasHeader('Referrer-Policy')) ctx.set('Referrer-Policy', 'same-origin');
  ctx.set('Permissions-Policy', 'camera=(), geolocation=(), microphone=()');
}
