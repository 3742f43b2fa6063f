/**
 * The page that applications load in a hidden frame and ask whether a sign-in has changed, GET /check-session: `check_session_iframe`.
 * OpenID Connect Session Management §3.2. All is done by its script, in the browser: no question comes here, so none can be a flood.
 */
import type { Middleware } from 'koa';
import type { Deps } from '../deps.js';
import { productName } from '../http/brand.js';
import { anyFrameHeaders } from '../http/headers.js';
import { render } from '../http/render.js';

export function checkSession({ config }: Pick<Deps, 'config'>): Middleware {
  return (ctx) => {
    anyFrameHeaders(ctx);
    render(ctx, config, { view: 'check_session', title: { words: productName(ctx, config) }, data: {} });
  };
}
