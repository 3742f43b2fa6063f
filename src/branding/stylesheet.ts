/** The one style sheet of a page: ours, and behind it the shades of an accent colour. */
import { type Accent, type Shades, shadesOf } from './colour.js';

/** The rules that give pages an accent. Nothing but checked colours stands in them. */
export function accentRules(accent: Accent): string {
  const { light, dark } = shadesOf(accent);
  return [
    `:root{${properties(light)}}`,
    `@media (prefers-color-scheme:dark){:root{${properties(dark)}}}`,
  ].join('\n');
}

function properties({ accent, accent_strong, on_accent }: Shades): string {
  return `--accent:${accent};--accent-strong:${accent_strong};--on-accent:${on_accent}`;
}
