/** How the pages look: name, logo, colours, links. Every process shows a change within a second. */
import { type Brand, type BrandSetting, brandOf, brandSettings, max_logo_bytes } from '../branding/brand.js';
import { contrast, isColour, isReadable, readable } from '../branding/colour.js';
import { imageType } from '../branding/picture.js';
import type { Deps } from '../deps.js';
import type { Key } from '../languages/keys.js';
import { UserError } from '../oauth/errors.js';
import * as settings from '../store/settings.js';
import { changing } from './changing.js';

const change = changing('settings');

type BrandingDeps = Pick<Deps, 'caches' | 'config' | 'db'>;

/** What is set; what is left out stays as it is. `logo` holds the bytes of a picture. */
export interface BrandChanges extends Omit<Brand, 'logo'> {
  readonly logo?: Buffer;
}

/** Where this server is, what it is called and whose templates it writes with, for what is told outside of pages. */
export async function nameOf({
  caches,
  config,
}: Pick<Deps, 'caches' | 'config'>): Promise<Pick<Deps['config'], 'ISSUER' | 'PRODUCT_NAME' | 'VIEWS_DIR'>> {
  const { product_name = config.PRODUCT_NAME } = await caches.brand();
  const { ISSUER, VIEWS_DIR } = config;
  return { ISSUER, PRODUCT_NAME: product_name, VIEWS_DIR };
}

export async function loadBrand(deps: Pick<Deps, 'db'>): Promise<Brand> {
  return brandOf(await settings.list(deps.db));
}

/** Sets some of it, and gives all of it. Throws UserError `invalid_input` naming the member in `field`. */
export async function setBrand(deps: BrandingDeps, changes: BrandChanges, now: number): Promise<Brand> {
  const { logo, ...others } = changes;
  const wanted: Brand = { ...others, ...(logo !== undefined && { logo: pictureOf(logo) }) };
  const checked = Object.entries(wanted).map(
    ([name, value]) => [name, checkedValue(name as BrandSetting, value)] as const, // the names of BrandChanges
  );
  await change(
    deps,
    { type: 'branding_changed', detail: Object.keys(wanted).join(' ') },
    now,
    async (trx) => {
      for (const [name, value] of checked) await settings.put(trx, name, JSON.stringify(value), now);
    },
  );
  return loadBrand(deps);
}

/** Takes some of it back to what it is by itself, and gives what is left. */
export async function resetBrand(
  deps: BrandingDeps,
  names: readonly BrandSetting[],
  now: number,
): Promise<Brand> {
  await change(deps, { type: 'branding_changed', detail: `without ${names.join(' ')}` }, now, async (trx) => {
    for (const name of names) await settings.remove(trx, name);
  });
  return loadBrand(deps);
}

const refusals: Readonly<Record<BrandSetting, Key>> = {
  product_name: 'branding.bad_name',
  logo: 'branding.bad_logo',
  accent: 'branding.bad_colour',
  accent_dark: 'branding.bad_colour',
  privacy_uri: 'branding.bad_link',
  terms_uri: 'branding.bad_link',
  help_uri: 'branding.bad_link',
};

function checkedValue(name: BrandSetting, value: unknown): unknown {
  const parsed = brandSettings[name].safeParse(value);
  if (!parsed.success) throw new UserError('invalid_input', refusals[name], name);
  if (name === 'accent' || name === 'accent_dark') assertReadable(name, String(parsed.data));
  return parsed.data;
}

/** Text in this colour must be readable on pages (WCAG 2.2 §1.4.3). Throws UserError with a shade that would be. */
function assertReadable(name: 'accent' | 'accent_dark', colour: string): void {
  const theme = name === 'accent' ? 'light' : 'dark';
  if (!isColour(colour) || isReadable(colour, theme)) return;
  const values = {
    colour,
    ratio: Math.floor(contrast(colour, theme === 'light' ? '#f3f4f4' : '#171c1f') * 10) / 10,
    shade: readable(colour, theme),
  };
  const key = theme === 'light' ? 'branding.too_light' : 'branding.too_dark';
  throw new UserError('invalid_input', { key, values }, name);
}

function pictureOf(bytes: Buffer): Exclude<Brand['logo'], undefined> {
  const type = imageType(bytes);
  if (bytes.length > max_logo_bytes) throw new UserError('invalid_input', 'branding.large_logo', 'logo');
  if (type === undefined) throw new UserError('invalid_input', 'branding.bad_logo', 'logo');
  return { type: type as 'image/png', data: bytes.toString('base64') }; // one of the three that the settings know
}
