/** How the pages look, as the operator set it: rows of the table settings, each a JSON value of a type of its own. */
import { z } from 'zod';
import { isColour } from './colour.js';

/** Largest logo, in bytes. */
export const max_logo_bytes = 65_536;

const colour = z.string().refine(isColour).toLowerCase();
const link = z.string().max(2048).refine(isWebAddress);

/** The settings by their names. What is not set has no row. */
export const brandSettings = {
  product_name: z.string().trim().min(1).max(60),
  logo: z.object({ type: z.enum(['image/png', 'image/jpeg', 'image/webp']), data: z.base64() }),
  accent: colour,
  accent_dark: colour,
  privacy_uri: link,
  terms_uri: link,
  help_uri: link,
} as const;

export type BrandSetting = keyof typeof brandSettings;
export type Brand = { readonly [Name in BrandSetting]?: z.output<(typeof brandSettings)[Name]> };

export const brandSettingNames = Object.keys(brandSettings) as BrandSetting[]; // the keys of a constant table

function isWebAddress(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

/** The brand that rows say. A row that this release cannot read counts as not set. */
export function brandOf(rows: readonly { readonly name: string; readonly value: string }[]): Brand {
  const known = rows.flatMap(({ name, value }) => {
    const setting = brandSettingNames.find((one) => one === name);
    const parsed = setting && brandSettings[setting].safeParse(JSON.parse(value)); // written by actions/branding.ts
    return parsed?.success ? [[name, parsed.data] as const] : [];
  });
  return Object.fromEntries(known);
}
