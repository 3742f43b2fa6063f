/** Sends an authorization response back by its response mode. Takes a registered redirect URI and nothing else. RFC 6749 §4.1.2; RFC 9207. */
import type { Context } from 'koa';
import type { Config } from '../config.js';
import type { ReplyTo } from '../oauth/authorization_request.js';
import { redirectUriKind } from '../oauth/redirect_uri.js';
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
  const response = responseTo(config, reply, parameters);
  ctx.set('Cache-Control', 'no-store');
  ctx.set('Referrer-Policy', 'no-referrer'); // the answer carries a code
  if ('redirect' in response) {
    seeOther(ctx, response.redirect);
    return;
  }
  framablePageHeaders(ctx);
  render(ctx, config, { view: 'form_post', title: 'Back to the application', data: response.form });
}

/**
 * Shows an error, and leaves it to the person whether they go on to the client: for one that registered itself and that this person
 * never agreed to. Else anybody could register an address, and send people on to it from ours (RFC 9700 §4.11.2; protocol.md AUT-25).
 */
export function respondAsked(
  ctx: Context,
  config: Pick<Config, 'ISSUER' | 'PRODUCT_NAME' | 'base'>,
  reply: ReplyTo,
  parameters: Readonly<Record<string, string>> & { readonly error: string },
  client: { readonly client_name: string },
): void {
  const response = responseTo(config, reply, parameters);
  const { redirect = null, form = null } = { redirect: undefined, form: undefined, ...response };
  ctx.set('Referrer-Policy', 'no-referrer');
  render(ctx, config, {
    view: 'form_post_asked',
    title: 'This sign-in did not work',
    status: 400,
    data: {
      client_name: client.client_name,
      host: shownHost(reply.redirect_uri),
      error: parameters.error,
      redirect,
      form,
    },
  });
}

function responseTo(
  config: Pick<Config, 'ISSUER'>,
  reply: ReplyTo,
  parameters: Readonly<Record<string, string>>,
) {
  const all = { ...parameters, ...(reply.state !== null && { state: reply.state }), iss: config.ISSUER };
  return modes[reply.response_mode].respond(reply.redirect_uri, all);
}

/** Where a redirect URI leads, as a person reads it: for a scheme of its own that alone says which program opens it. */
export function shownHost(redirect_uri: string): string {
  const { host, protocol } = new URL(redirect_uri);
  return redirectUriKind(redirect_uri) === 'custom_scheme' ? protocol : host;
}
