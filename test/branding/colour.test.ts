import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { contrast, isReadable, readable, shadesOf } from '../../src/branding/colour.js';
import { root } from '../support/source.js';

const colour = fc
  .integer({ min: 0, max: 0xffffff })
  .map((value) => `#${value.toString(16).padStart(6, '0')}`);

/** The surfaces of the style sheet, light and dark. */
function surfacesOf(sheet: string): Readonly<Record<'light' | 'dark', readonly string[]>> {
  const [light = '', dark = ''] = [...sheet.matchAll(/:root \{([^}]*)\}/g)].map(([, block = '']) => block);
  const of = (block: string) =>
    [...block.matchAll(/--(?:page|card|sunken): (#[0-9a-f]+);/g)].map(([, value = '']) =>
      value.length === 4 ? value.replaceAll(/[0-9a-f]/g, '$&$&') : value,
    );
  return { light: of(light), dark: of(dark) };
}

const surfaces = surfacesOf(readFileSync(`${root}views/assets/style.css`, 'utf8'));

test.each([
  ['#000000', '#ffffff', 21],
  ['#ffffff', '#ffffff', 1],
  ['#777777', '#ffffff', 4.48],
])('the contrast of %s and %s is %d (WCAG 2.2)', (a, b, expected) => {
  expect(contrast(a, b)).toBeCloseTo(expected, 2);
  expect(contrast(b, a)).toBeCloseTo(expected, 2);
});

describe('every accent that is taken', () => {
  test('can be read on all light and dark surfaces, in both its shades, and text on it too (WCAG 2.2 §1.4.3)', () => {
    expect([surfaces.light.length, surfaces.dark.length]).toEqual([3, 3]);
    fc.assert(
      fc.property(colour, fc.option(colour), (light, dark) => {
        fc.pre(isReadable(light, 'light') && (dark === null || isReadable(dark, 'dark')));
        const shades = shadesOf({ light, dark });
        for (const theme of ['light', 'dark'] as const)
          for (const shade of [shades[theme].accent, shades[theme].accent_strong])
            for (const beside of [...surfaces[theme], shades[theme].on_accent])
              expect(contrast(shade, beside), `${shade} and ${beside}`).toBeGreaterThanOrEqual(4.5);
      }),
      { numRuns: 500 },
    );
  });

  test('and one that is not has a shade near it that would be', () => {
    fc.assert(
      fc.property(colour, (any) => {
        for (const theme of ['light', 'dark'] as const)
          expect(isReadable(readable(any, theme), theme), `${any} ${theme}`).toBe(true);
      }),
    );
  });
});
