/**
 * WebFinger, GET /.well-known/webfinger: which issuer somebody's identifier belongs to. OpenID Connect Discovery §2; RFC 7033.
 * For every identifier of this server's host, whether there is such an account or not: nobody is looked up.
 */
import type { Middleware } from 'koa';
import type { Deps } from '../deps.js';
import { json } from '../http/answer.js';
import { readQuery } from '../http/read.js';
import { OAuthError } from '../oauth/errors.js';

const issuer_rel = 'http://openid.net/specs/connect/1.0/issuer';

export function webfinger({ config }: Pick<Deps, 'config'>): Middleware {
  const hosts = new Set([new URL(config.ISSUER).host, new URL(config.ISSUER).hostname]);
  return (ctx) => {
    const params = readQuery(ctx);
    const resource = params.require('resource');
    const host = hostOf(resource);
    if (host === undefined) throw new OAuthError('invalid_request', 'resource is no URI');
    if (host === null || !hosts.has(host))
      throw new OAuthError('invalid_request', 'resource is not of this host', { status: 404 });
    const rels = params.all('rel');
    const links = [{ rel: issuer_rel, href: config.ISSUER }];
    ctx.set('Cache-Control', 'public, max-age=3600');
    json(ctx, {
      subject: resource,
      links: links.filter(({ rel }) => rels.length === 0 || rels.includes(rel)),
    });
    ctx.res.setHeader('Content-Type', 'application/jrd+json');
  };
}

/**
 * The host of an identifier as Discovery §2.1.2 normalises it: `acct:user@host`, or a URL. Null for a URI of another scheme, of which nothing
 * is known here; undefined for what is malformed (RFC 7033 §4.2).
 */
function hostOf(resource: string): string | null | undefined {
  const account = /^acct:[^@/?#]+@([^@/?#]+)$/i.exec(resource)?.[1];
  const url = account === undefined ? resource : `https://${account}`;
  if (/^https?:\/\/[^/]/i.test(url) && URL.canParse(url)) return new URL(url).host;
  return /^(?!acct:|https?:)[a-z][a-z0-9+.-]*:[^\s]/i.test(resource) ? null : undefined;
}
