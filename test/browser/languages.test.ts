import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { bringAxe, violations } from '../support/axe.js';
import { follow, newVisit } from '../support/chromium.js';
import { goToPage, type PageName } from '../support/every_page.js';
import { startIdp } from '../support/idp.js';

/** Pictures for people: `PICTURES=1 npx vitest run test/browser/languages`. Not in git. */
const pictures = process.env.PICTURES === '1';
const artifacts = fileURLToPath(new URL('../artifacts/', import.meta.url));

beforeAll(() => {
  mkdirSync(artifacts, { recursive: true });
});

const pages: readonly PageName[] = pictures
  ? [
      'login with a wrong password',
      'consent with a warning',
      'account chooser',
      'logout for an application',
      'signed out of an application',
      'error with details',
      'start page of an administrator',
      'claim with an error',
      'error for an application that registered itself',
      'confirm that it is you',
    ]
  : ['login with a wrong password', 'consent with a warning', 'error with details'];

test.each((['ar', 'ja'] as const).flatMap((language) => pages.map((name) => [name, language] as const)))(
  '%s in %s: axe finds nothing wrong, and nothing is wider than the window',
  async (name, language) => {
    const { page } = await newVisit({ locale: language });
    await goToPage(page, name);
    expect(await page.getAttribute('html', 'lang')).toBe(language);
    await bringAxe(page);
    expect(await violations(page)).toEqual([]);
    for (const width of [360, 1280]) {
      await page.setViewportSize({ width, height: 800 });
      const hidden = await page.evaluate(
        'document.documentElement.scrollWidth - document.documentElement.clientWidth',
      );
      expect(hidden, `${width} px`).toBe(0);
      const path = `${artifacts}${name.replaceAll(/\W+/g, '_')}_${language}_${width}.png`;
      if (pictures) await page.screenshot({ path, fullPage: true });
    }
  },
);

test('a person chooses a language at the foot of a page, and stays on the page', async () => {
  const { page } = await newVisit();
  const idp = await startIdp({ host: 'localhost' });
  await page.goto(`${idp.issuer}/errors`);
  await follow(page, 'text=العربية');
  expect(page.url()).toBe(`${idp.issuer}/errors`);
  expect(await page.getAttribute('html', 'dir')).toBe('rtl');
});
