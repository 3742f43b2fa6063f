/**
 * How the pages look, for administrators, GET /branding/preview: what they are made of on one page. With `accent` and `dark` in its
 * address it shows colours before they are set.
 */
import type { Context, Middleware } from 'koa';
import { type Accent, contrast, isColour, isReadable, shadesOf } from '../branding/colour.js';
import type { Deps } from '../deps.js';
import { seeOther } from '../http/answer.js';
import { accentOf, brandFor } from '../http/brand.js';
import { readQuery } from '../http/read.js';
import { render } from '../http/render.js';
import { currentSession, isAdministrator } from '../http/session.js';
import { UserError } from '../oauth/errors.js';

export function brandingPreview(deps: Pick<Deps, 'clock' | 'config' | 'db'>): Middleware {
  return async (ctx) => {
    const session = await currentSession(deps, ctx, deps.clock());
    if (session === null) return seeOther(ctx, `${deps.config.base}/login`);
    if (!isAdministrator(session)) throw new UserError('not_allowed', 'branding.administrators_only');
    const tried = triedAccent(ctx);
    const accent = tried ?? accentOf(brandFor(ctx), null);
    render(ctx, deps.config, {
      view: 'branding_preview',
      title: 'branding.preview',
      accent: tried,
      data: {
        person: { name: session.name, email: session.email },
        colours: accent === null ? [] : coloursOf(accent),
        sample: { field: 'sample', key: 'branding.sample_error' },
      },
    });
  };
}

/** Colours of the address; null where it names none, or some that cannot be read. */
function triedAccent(ctx: Context): Accent | null {
  const params = readQuery(ctx);
  const light = params.get('accent') ?? '';
  const dark = params.get('dark') ?? null;
  if (!isColour(light) || !isReadable(light, 'light')) return null;
  return dark === null || (isColour(dark) && isReadable(dark, 'dark')) ? { light, dark } : null;
}

/** Each shade with how well text in it, and text on it, can be read. */
function coloursOf(accent: Accent) {
  const { light, dark } = shadesOf(accent);
  return [
    { key: 'branding.light', shades: light, surface: '#f3f4f4' },
    { key: 'branding.dark', shades: dark, surface: '#171c1f' },
  ].map(({ key, shades, surface }) => ({
    key,
    colour: shades.accent,
    as_text: Math.floor(contrast(shades.accent, surface) * 10) / 10,
    as_button: Math.floor(contrast(shades.accent, shades.on_accent) * 10) / 10,
  }));
}
