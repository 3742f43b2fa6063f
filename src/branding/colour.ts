/**
 * The accent colour of pages: its shades, and whether text in it can be read. WCAG 2.2 §1.4.3 (AA: 4.5 to 1). The surfaces are those
 * of views/assets/style.css; a test compares them.
 */

/** What the accent is read on: the darkest of the light surfaces, the lightest of the dark ones. */
const surfaces = { light: '#f3f4f4', dark: '#171c1f' } as const;
const enough = 4.5;
/** The dark theme's shade, where it is made of the light one: as strong as our own. */
const comfortable = 7;

export interface Shades {
  readonly accent: string;
  /** Under the pointer. */
  readonly accent_strong: string;
  /** Text on a button of either. */
  readonly on_accent: string;
}

export interface Accent {
  /** `#rrggbb`, for light pages. */
  readonly light: string;
  /** For dark pages; null where it follows from the light one. */
  readonly dark: string | null;
}

export function isColour(text: string): boolean {
  return /^#[0-9a-f]{6}$/i.test(text);
}

/** The contrast of two colours, 1 to 21. WCAG 2.2, "contrast ratio". */
export function contrast(a: string, b: string): number {
  const [darker = 0, lighter = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (lighter + 0.05) / (darker + 0.05);
}

/** The nearest shade of a colour that can be read on pages of a theme: the colour itself, or a darker or lighter one. */
export function readable(colour: string, theme: keyof typeof surfaces, wanted = enough): string {
  const towards = theme === 'light' ? '#000000' : '#ffffff';
  for (let share = 0; share < 1; share += 0.02) {
    const shade = mix(colour, towards, share);
    if (contrast(shade, surfaces[theme]) >= wanted) return shade;
  }
  return towards;
}

export function isReadable(colour: string, theme: keyof typeof surfaces): boolean {
  return contrast(colour, surfaces[theme]) >= enough;
}

/** The shades of both themes. Each can be read where the style sheet puts it, if the colours given can. */
export function shadesOf({ light, dark }: Accent): { readonly light: Shades; readonly dark: Shades } {
  const on_dark = dark ?? readable(light, 'dark', comfortable);
  return {
    light: { accent: light, accent_strong: mix(light, '#000000', 0.3), on_accent: '#ffffff' },
    dark: { accent: on_dark, accent_strong: mix(on_dark, '#ffffff', 0.35), on_accent: '#0e1214' },
  };
}

function channels(colour: string): readonly number[] {
  return [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
}

function mix(colour: string, other: string, share: number): string {
  const others = channels(other);
  const mixed = channels(colour).map((value, index) =>
    Math.round(value + ((others[index] ?? 0) - value) * share),
  );
  return `#${mixed.map((value) => value.toString(16).padStart(2, '0')).join('')}`;
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = channels(colour).map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
