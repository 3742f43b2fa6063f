/**
 * How the pages of one request look. A guard reads it before the page is made, so that views are rendered without waiting; where the
 * database cannot be read, the page that says so is in our own colours.
 */
import type { Context, Middleware } from 'koa';
import type { Brand } from '../branding/brand.js';
import type { Accent } from '../branding/colour.js';
import type { Config } from '../config.js';
import type { Deps } from '../deps.js';

const brands = new WeakMap<Context, Brand>();

export function branded(deps: Pick<Deps, 'caches' | 'log'>): Middleware {
  return async (ctx, next) => {
    try {
      brands.set(ctx, await deps.caches.brand());
    } catch (err) {
      deps.log.debug({ err }, 'the branding cannot be read');
    }
    await next();
  };
}

/** What the operator set; nothing where the guard did not run. */
export function brandFor(ctx: Context): Brand {
  return brands.get(ctx) ?? {};
}

export function productName(ctx: Context, config: Pick<Config, 'PRODUCT_NAME'>): string {
  return brandFor(ctx).product_name ?? config.PRODUCT_NAME;
}

/** The accent of a page: that of the application it is about, if it has one, else the operator's. Null for ours. */
export function accentOf(brand: Brand, client_accent: string | null): Accent | null {
  if (client_accent !== null) return { light: client_accent, dark: null };
  return brand.accent === undefined ? null : { light: brand.accent, dark: brand.accent_dark ?? null };
}
