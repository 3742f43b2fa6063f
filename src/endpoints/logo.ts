/**
 * GET /logos/:client_id: an application's logo, fetched by us through the outbound gate, kept for a day and served from here, so
 * that no page of ours asks another host. PNG, JPEG and WebP alone, told by their first bytes. Hardening row 18.
 */
import type { RouterContext } from '@koa/router';
import { LRUCache } from 'lru-cache';
import { imageType } from '../branding/picture.js';
import type { Deps } from '../deps.js';
import { document } from '../http/answer.js';
import { readQuery } from '../http/read.js';
import { parseLocales } from '../languages/tags.js';
import { inLanguage } from '../oauth/translations.js';
import { digest } from '../secrets.js';

interface Logo {
  readonly body: Buffer;
  readonly etag: string;
  readonly type: string;
}

interface Kept {
  readonly fetched_at: number;
  readonly logo: Promise<Logo | null>;
}

const keep_seconds = 86_400;
/** A logo that could not be fetched is asked for again after this. */
const retry_seconds = 300;
const max_bytes = 65_536;

export function logo(
  deps: Pick<Deps, 'caches' | 'clock' | 'log' | 'outbound'>,
): (ctx: RouterContext) => Promise<void> {
  const kept = new LRUCache<string, Kept>({ max: 200 });

  async function fetchLogo(url: string): Promise<Logo | null> {
    try {
      const { body } = await deps.outbound.fetch({
        url,
        accept: 'image/png, image/jpeg, image/webp',
        max_bytes,
      });
      const type = imageType(body);
      if (type === undefined) throw new Error('it is neither PNG nor JPEG nor WebP');
      return { body, type, etag: `"${digest(body.toString('base64')).slice(0, 22)}"` };
    } catch (err) {
      deps.log.warn({ url, err }, 'a logo cannot be fetched'); // the page does without
      return null;
    }
  }

  return async (ctx) => {
    const now = deps.clock();
    const client = await deps.caches.client(ctx.params.client_id ?? '');
    const url = client && inLanguage(client, 'logo_uri', parseLocales(readQuery(ctx).get('lang')));
    const known = url === undefined ? undefined : kept.get(url);
    const age = known === undefined ? Number.POSITIVE_INFINITY : now - known.fetched_at;
    const current =
      known !== undefined && age < ((await known.logo) === null ? retry_seconds : keep_seconds)
        ? known
        : undefined;
    const entry = current ?? (url === undefined ? undefined : { fetched_at: now, logo: fetchLogo(url) });
    if (url !== undefined && entry !== undefined) kept.set(url, entry);
    const found = await entry?.logo;
    if (!found) {
      ctx.status = 404;
      ctx.body = 'There is no logo.\n';
      return;
    }
    document(ctx, found.body, found.etag, { type: found.type, max_age: 3600 });
  };
}
