/** Koa middleware. What it needs of Koa is written out here, so that nothing of it is imported. */
import { type RequireTokenOptions, refusalOf, verifyHeader } from './bearer.js';
import type { Verifier } from './verifier.js';

/** What a Koa context has. */
export interface KoaContext {
  status: number;
  body: unknown;
  // biome-ignore lint/suspicious/noExplicitAny: as Koa types it; an application declares what it keeps there
  readonly state: Record<string, any>;
  get(field: string): string;
  set(fields: { [field: string]: string }): void;
}

/** Lets a request through whose token is good, with the token in `ctx.state.token`; answers any other itself. */
export function requireToken(verifier: Pick<Verifier, 'verify'>, options: RequireTokenOptions = {}) {
  return async (ctx: KoaContext, next: () => Promise<unknown>): Promise<void> => {
    try {
      ctx.state.token = await verifyHeader(verifier, ctx.get('authorization'), options);
    } catch (error) {
      const { status, headers, body } = refusalOf(error, options);
      ctx.status = status;
      ctx.body = body;
      ctx.set(headers);
      return;
    }
    await next();
  };
}
