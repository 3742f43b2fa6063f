/** Sends an authorization response back by its response mode. Takes a registered redirect URI and nothing else. RFC 6749 §4.1.2; RFC 9207. */
import type { Context } from 'koa';
import type { Config } from '../config.js';
import type { ReplyTo } from '../oauth/authorization_request.js';
import * as responseModes from '../oauth/response_modes/index.js';
import { seeOther } from './answer.js';
import { framablePageHeaders } from './headers.js';
import { render } from './render.js';

const modes = { ...responseModes };

/** Adds `state` as it came and `iss`, in success and error alike. */
export function respond(
  ctx: Context,
  config: Pick<Config, 'ISSUER' | 'PRODUCT_NAME' | 'base'>,
  reply: ReplyTo,
  parameters: Readonly<Record<string, string>>,
): void {
  const all = { ...parameters, ...(reply.state !== null && { state: reply.state }), iss: config.ISSUER };
  const response = modes[reply.response_mode].respond(reply.redirect_uri, all);
  ctx.set('Cache-Control', 'no-store');
  ctx.set('Referrer-Policy', 'no-referrer'); // the answer carries a code
  if ('redirect' in response) {
    seeOther(ctx, response.redirect);
    return;
  }
  framablePageHeaders(ctx);
  render(ctx, config, { view: 'form_post', title: 'Back to the application', data: response.form });
}
