/** What an API says of itself, so that a client that meets its challenge knows where tokens come from. RFC 9728. */

import type { NodeResponse } from './express.js';
import type { KoaContext } from './koa.js';
import { isSecure } from './secure_url.js';

/** The members of RFC 9728 §2 that an application chooses. */
export interface ResourceMetadataOptions {
  /** The address that tokens for this API are asked for with. */
  readonly resource: string;
  /** The issuers whose tokens it takes. */
  readonly authorization_servers: readonly string[];
  readonly scopes_supported?: readonly string[];
  readonly resource_name?: string;
  readonly resource_documentation?: string;
}

export interface ResourceMetadata {
  readonly document: Readonly<Record<string, unknown>>;
  /** Where it is, for `resource_metadata` in the challenge. */
  readonly url: string;
  /** The path it has to answer at. */
  readonly path: string;
  /** Each answers a GET for that path; the first two pass on all else, the last gives undefined for it. */
  koa(
    ctx: KoaContext & { readonly path: string; readonly method: string },
    next: () => Promise<unknown>,
  ): Promise<void>;
  express(
    req: { readonly url?: string | undefined; readonly method?: string | undefined },
    res: NodeResponse,
    next: (error?: unknown) => void,
  ): void;
  fetch(request: Request): Response | undefined;
}

const wellKnown = '/.well-known/oauth-protected-resource';

/** Throws TypeError where `resource` is no https URL without a fragment (RFC 9728 §1.2), or http on a loopback host. */
export function protectedResourceMetadata(options: ResourceMetadataOptions): ResourceMetadata {
  const isUrl = URL.canParse(options.resource) && !options.resource.includes('#');
  if (!isUrl || !isSecure(new URL(options.resource)))
    throw new TypeError('resource must be an https URL without a fragment, or http on a loopback host');
  const { origin, pathname, search } = new URL(options.resource);
  const path = wellKnown + (pathname === '/' ? '' : pathname); // RFC 9728 §3.1: before the resource's own path
  const document = { ...options, bearer_methods_supported: ['header'] };
  const body = JSON.stringify(document);
  const headers = {
    'Content-Type': 'application/json',
    'Cache-Control': 'public, max-age=3600',
    'Access-Control-Allow-Origin': '*', // a client in a browser reads it before it has a token
  };
  const isAsked = (method: string | undefined, at: string) =>
    (method === 'GET' || method === 'HEAD') && at === path;

  return {
    ...{ document, path, url: origin + path + search },
    async koa(ctx, next) {
      if (!isAsked(ctx.method, ctx.path)) {
        await next();
        return;
      }
      ctx.status = 200;
      ctx.body = body;
      ctx.set(headers);
    },
    express(req, res, next) {
      if (!isAsked(req.method, req.url?.split('?')[0] ?? '')) return next();
      res.statusCode = 200;
      for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
      res.end(body);
    },
    fetch(request) {
      return isAsked(request.method, new URL(request.url).pathname)
        ? new Response(body, { headers })
        : undefined;
    },
  };
}
