/** Sign-in as Koa middleware. koa is typed by its shape, so that an app without it need not install it. */
import type { SignIn } from './create.js';
import { type NodeRequest, toRequest, urlOf } from './node_request.js';

/** As much of Koa's context as is used here. */
export interface KoaContext {
  readonly req: NodeRequest;
  readonly originalUrl: string;
  readonly request: object;
  status: number;
  body: unknown;
  set(name: string, value: string | string[]): void;
}

/** Answers the paths of `signIn`; every other request is the next middleware's. */
export function koaSignIn(signIn: SignIn): (ctx: KoaContext, next: () => Promise<unknown>) => Promise<void> {
  const paths = new Set<string>(Object.values(signIn.paths));
  return async (ctx, next) => {
    const url = urlOf(ctx.originalUrl, signIn.origin);
    if (url === undefined || !paths.has(new URL(url).pathname)) return void (await next());
    const parsed = 'body' in ctx.request ? ctx.request.body : undefined;
    const response = await signIn.handle(await toRequest(ctx.req, url, parsed));
    if (response === null) return void (await next());
    ctx.body = await response.text();
    ctx.status = response.status; // after the body: koa makes 200 of one
    for (const [name, value] of response.headers) if (name !== 'set-cookie') ctx.set(name, value);
    const cookies = response.headers.getSetCookie();
    if (cookies.length > 0) ctx.set('set-cookie', cookies);
  };
}
