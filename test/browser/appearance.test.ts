import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { bringAxe, violations } from '../support/axe.js';
import { newVisit } from '../support/chromium.js';
import { everyPage, goToPage } from '../support/every_page.js';

/** Pictures of every page, to be looked at by people: `PICTURES=1 npx vitest run test/browser/appearance`. Not in git. */
const pictures = process.env.PICTURES === '1';
const artifacts = fileURLToPath(new URL('../artifacts/', import.meta.url));

beforeAll(() => {
  mkdirSync(artifacts, { recursive: true });
});

const widths = [360, 1280];

test.each(everyPage)('%s: axe finds nothing wrong, and nothing is wider than the window', async (name) => {
  const { page } = await newVisit();
  await goToPage(page, name);
  await bringAxe(page);
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    // The colours alone differ.
    expect(await violations(page, colorScheme === 'light' ? undefined : ['color-contrast'])).toEqual([]);
    for (const width of pictures ? widths : []) {
      await page.setViewportSize({ width, height: 800 });
      const path = `${artifacts}${name.replaceAll(/\W+/g, '_')}_${width}_${colorScheme}.png`;
      await page.screenshot({ path, fullPage: true });
    }
  }
  // 400 % zoom of 1280 px is a window of 320 (WCAG 2.2 §1.4.10).
  for (const width of [...widths, 320]) {
    await page.setViewportSize({ width, height: 800 });
    expect(await hiddenWidth(page), `${width} px`).toBe(0);
  }
});

/** How many pixels of a page are reached by scrolling sideways alone. */
async function hiddenWidth(page: Page): Promise<unknown> {
  return page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
}
