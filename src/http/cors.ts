/** Cross-origin requests of scripts: public documents for everybody, the token endpoint for registered origins. Decisions 19. */
import type { Context, Middleware, Next } from 'koa';
import type { Caches } from '../store/caches.js';

const exposed = 'WWW-Authenticate, Retry-After';
const allowedHeaders = 'Authorization, Content-Type, DPoP';

/** A public GET document: any origin, never with credentials. */
export const publicCors: Middleware = async (ctx, next) => {
  ctx.set('Access-Control-Allow-Origin', '*');
  if (ctx.method !== 'OPTIONS') {
    await next();
    return;
  }
  ctx.set('Access-Control-Allow-Methods', 'GET, HEAD');
  ctx.set('Access-Control-Allow-Headers', allowedHeaders); // needless here, but some send them with every request
  ctx.set('Access-Control-Max-Age', '86400');
  ctx.status = 204;
};

/** An endpoint that any script may call, with what it carries itself and never with the browser's cookies. */
export function anyOriginCors(options: { readonly methods: string }): Middleware {
  return async (ctx, next) => {
    ctx.set('Access-Control-Allow-Origin', '*');
    ctx.set('Access-Control-Expose-Headers', exposed);
    await answerPreflight(ctx, next, options.methods);
  };
}

/**
 * An endpoint that browser applications call: the origin is echoed if it is some client's, else there is no CORS at all. A
 * preflight names no client, so any client's will do; what the request may do is decided by its own authentication.
 */
export function clientCors(
  caches: Pick<Caches, 'origins'>,
  options: { readonly methods: string; readonly credentials: boolean },
): Middleware {
  return async (ctx, next) => {
    const origin = ctx.get('origin');
    if (origin !== '') ctx.append('Vary', 'Origin');
    if (origin !== '' && (await caches.origins()).has(origin)) {
      ctx.set('Access-Control-Allow-Origin', origin);
      ctx.set('Access-Control-Expose-Headers', exposed);
      if (options.credentials) ctx.set('Access-Control-Allow-Credentials', 'true');
    }
    await answerPreflight(ctx, next, options.methods);
  };
}

/** Answers a preflight with what the request itself may do; any other request goes on. */
async function answerPreflight(ctx: Context, next: Next, methods: string): Promise<void> {
  if (ctx.method !== 'OPTIONS') {
    await next();
    return;
  }
  ctx.set('Access-Control-Allow-Methods', methods);
  ctx.set('Access-Control-Allow-Headers', allowedHeaders);
  ctx.set('Access-Control-Max-Age', '600');
  ctx.status = 204;
}
