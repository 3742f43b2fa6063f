/**
 * Status lists, GET /status-lists/:id, and the list of lists, GET /status-lists: what applications that check signatures alone read
 * to see which tokens were revoked. IETF Token Status List §8, §9; protocol.md §24.
 */
import type { RouterContext } from '@koa/router';
import type { Context, Middleware } from 'koa';
import type { Deps } from '../deps.js';
import { document, json } from '../http/answer.js';
import { readQuery } from '../http/read.js';
import { OAuthError } from '../oauth/errors.js';

const media_type = 'application/statuslist+jwt';

export function statusList(deps: Pick<Deps, 'clock' | 'config' | 'statusLists'>) {
  return async (ctx: RouterContext): Promise<void> => {
    refuseTime(ctx);
    const accepts = ctx.get('accept');
    if (accepts !== '' && ctx.accepts(media_type) === false) {
      throw new OAuthError('invalid_request', `a status list is sent as ${media_type}`, { status: 406 });
    }
    const list = await deps.statusLists.published(ctx.params.id ?? '', deps.clock());
    if (list === undefined)
      throw new OAuthError('invalid_request', 'there is no such status list', { status: 404 });

    ctx.vary('Accept-Encoding');
    const gzip = ctx.acceptsEncodings('gzip', 'identity') === 'gzip';
    if (gzip) ctx.set('Content-Encoding', 'gzip');
    const etag = gzip ? `${list.etag.slice(0, -1)}-gzip"` : list.etag;
    const { STATUS_LIST_TTL_SECONDS: max_age, ISSUER } = deps.config;
    ctx.set('Link', `<${ISSUER}/revocations>; rel="monitor"`); // where changes are told as they happen; RFC 8288, RFC 5989 §6
    document(ctx, gzip ? list.gzipped : list.body, etag, { type: media_type, max_age });
  };
}

/** The addresses of all lists (§9): for applications that fetch them ahead of the first token. */
export function statusListAggregation(deps: Pick<Deps, 'config' | 'statusLists'>): Middleware {
  return async (ctx) => {
    ctx.set('Cache-Control', `public, max-age=${deps.config.STATUS_LIST_TTL_SECONDS}`);
    json(ctx, { status_lists: await deps.statusLists.uris() });
  };
}

/** Lists of the past are not kept (§8.4). */
function refuseTime(ctx: Context): void {
  if (readQuery(ctx).has('time'))
    throw new OAuthError('invalid_request', 'status lists of another time are not kept', { status: 501 });
}
