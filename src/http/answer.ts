/**
 * Writes answers. koa's own redirect normalises URLs (decisions 18), so a Location is set here, byte for byte. Headers of the hot
 * paths go straight to Node's response: koa's ctx.set costs several times as much.
 */
import type { Context } from 'koa';

/** 303 See Other: the browser goes on with GET (RFC 9700 §4.12). `url` goes out as it is, and nobody keeps it. */
export function seeOther(ctx: Context, url: string): void {
  ctx.set('Cache-Control', 'no-store');
  ctx.set('Location', url);
  ctx.body = null;
  ctx.status = 303; // koa makes 204 of an empty body
}

/** A JSON answer that nobody may keep (RFC 6749 §5.1). */
export function noStoreJson(ctx: Context, value: object, status = 200): void {
  ctx.res.setHeader('Cache-Control', 'no-store');
  ctx.res.setHeader('Pragma', 'no-cache');
  json(ctx, value, status);
}

/** A JWT that nobody may keep; `type` is its media type. */
export function noStoreJwt(ctx: Context, jwt: string, type: string): void {
  ctx.set('Cache-Control', 'no-store');
  ctx.set('Pragma', 'no-cache');
  ctx.type = type;
  ctx.body = jwt;
}

export function json(ctx: Context, value: object, status = 200): void {
  ctx.status = status;
  ctx.res.setHeader('Content-Type', 'application/json; charset=utf-8'); // first: koa guesses a type where there is none
  ctx.body = JSON.stringify(value);
}

/** A document that is ready as bytes, with its entity tag: 304 to who has it already (RFC 9110 §13.1.2). */
export function document(
  ctx: Context,
  bytes: Buffer,
  etag: string,
  options: { readonly type: string; readonly max_age: number },
): void {
  ctx.set('Cache-Control', `public, max-age=${options.max_age}`);
  ctx.set('ETag', etag);
  ctx.type = options.type;
  const known = ctx
    .get('if-none-match')
    .split(',')
    .map((tag) => tag.trim().replace(/^W\//, ''));
  if (known.includes(etag) || known.includes('*')) {
    ctx.status = 304;
    return;
  }
  ctx.body = bytes;
}
