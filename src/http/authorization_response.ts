/**
 * Sends an authorization response back by its response mode. Takes a registered redirect URI and nothing else. RFC 6749 §4.1.2;
 * RFC 9207; JWT Secured Authorization Response Mode.
 */
import type { Context } from 'koa';
import type { Deps } from '../deps.js';
import { type AuthorizationRequest, type ReplyTo, replyNow } from '../oauth/authorization_request.js';
import { redirectUriKind } from '../oauth/redirect_uri.js';
import { carrierOf, isJwtMode } from '../oauth/response_mode.js';
import * as responseModes from '../oauth/response_modes/index.js';
import type { Client } from '../store/clients.js';
import { clientJwt } from '../tokens/client_jwt.js';
import { seeOther } from './answer.js';
import { framablePageHeaders } from './headers.js';
import { render } from './render.js';

const carriers = { ...responseModes };

/** Seconds that a response in a JWT is good for: it is taken at once, or by somebody else. JARM §2.1. */
const jwt_seconds = 300;

export type ResponseDeps = Pick<Deps, 'clientKeys' | 'clock' | 'config' | 'keys'>;

/** Whom it is for, and where it goes. */
export interface RespondTo {
  readonly client: Client;
  readonly reply: ReplyTo;
  /** When it was asked for, in seconds since 1970. */
  readonly arrived_at: number;
}

/** Where the answer to a request goes, as its client is registered now. Throws like registeredRedirectUri. */
export function respondTo(
  client: Client,
  { request, arrived_at }: { readonly request: AuthorizationRequest; readonly arrived_at: number },
): RespondTo {
  return { client, reply: replyNow(request, client), arrived_at };
}

export type ResponseParameters = Readonly<Record<string, string>>;

/** Adds `state` as it came and `iss`, in success and error alike. */
export async function respond(
  ctx: Context,
  deps: ResponseDeps,
  to: RespondTo,
  parameters: ResponseParameters,
): Promise<void> {
  const response = await responseTo(deps, to, parameters);
  ctx.set('Cache-Control', 'no-store');
  ctx.set('Referrer-Policy', 'no-referrer'); // the answer carries a code
  if ('redirect' in response) {
    seeOther(ctx, response.redirect);
    return;
  }
  framablePageHeaders(ctx);
  render(ctx, deps.config, {
    view: 'form_post',
    title: 'form_post.page_title',
    data: response.form,
    pending: { arrived_at: to.arrived_at, request: to.reply },
  });
}

/**
 * Shows an error, and leaves it to the person whether they go on to the client: for one that registered itself and that this person
 * never agreed to. Else anybody could register an address, and send people on to it from ours (RFC 9700 §4.11.2; protocol.md AUT-25).
 */
export async function respondAsked(
  ctx: Context,
  deps: ResponseDeps,
  to: RespondTo,
  parameters: ResponseParameters & { readonly error: string },
): Promise<void> {
  const response = await responseTo(deps, to, parameters);
  ctx.set('Referrer-Policy', 'no-referrer');
  render(ctx, deps.config, {
    view: 'form_post_asked',
    title: 'form_post.asked_title',
    status: 400,
    data: {
      client_name: to.client.client_name,
      host: shownHost(to.reply.redirect_uri),
      error: parameters.error,
      redirect: 'redirect' in response ? response.redirect : null,
      form: 'form' in response ? response.form : null,
    },
    pending: { arrived_at: to.arrived_at, request: to.reply },
  });
}

async function responseTo(deps: ResponseDeps, { client, reply }: RespondTo, parameters: ResponseParameters) {
  const { redirect_uri, response_mode, state } = reply;
  const all = { ...parameters, ...(state !== null && { state }), iss: deps.config.ISSUER };
  const sent = isJwtMode(response_mode) ? await inJwt(deps, client, all) : all;
  return carriers[carrierOf(response_mode)].respond(redirect_uri, sent);
}

/** All of it in the one parameter `response`, and nothing beside it. JARM §2.1, §2.3. */
async function inJwt(
  { clientKeys, clock, keys }: ResponseDeps,
  client: Client,
  parameters: ResponseParameters,
): Promise<ResponseParameters> {
  const now = clock();
  const claims = { ...parameters, aud: client.client_id, exp: now + jwt_seconds };
  const ring = await keys.get();
  return { response: await clientJwt({ clientKeys, ring }, client, 'authorization', claims, now) };
}

/** Where a redirect URI leads, as a person reads it: for a scheme of its own that alone says which program opens it. */
export function shownHost(redirect_uri: string): string {
  const { host, protocol } = new URL(redirect_uri);
  return redirectUriKind(redirect_uri) === 'custom_scheme' ? protocol : host;
}
