import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { newVisit } from '../support/chromium.js';
import { password, startIdp } from '../support/idp.js';
import { startApp } from '../support/relying_app.js';

test('sign in, agree and sign out with the keyboard alone, seeing where one is', async () => {
  const idp = await startIdp({ host: 'localhost' });
  await idp.addUser();
  const shop = await startApp(idp, { name: 'Shop', documents: true, metadata: { first_party: false } });
  const { page } = await newVisit();

  await page.goto(shop.login);
  await page.waitForSelector('#email:focus'); // a browser moves the focus when it draws
  expect(await focused(page)).toEqual(['email', 'visible']); // typing can begin at once
  await page.keyboard.type('ada@example.com');
  await page.keyboard.press('Tab');
  expect(await focused(page)).toEqual(['password', 'visible']);
  await page.keyboard.type(password);
  expect(await tabStops(page, 7)).toEqual([
    ['Show password', 'visible'],
    ['forgot', 'visible'],
    ['sign-in', 'visible'],
    ['use-passkey', 'visible'],
    ['cancel', 'visible'],
    ['Privacy policy', 'visible'],
    ['Terms of service', 'visible'],
  ]);
  for (let stops = 0; stops < 4; stops += 1) await page.keyboard.press('Shift+Tab');
  expect(await focused(page)).toEqual(['sign-in', 'visible']);
  await press(page, 'Enter');

  expect(await page.textContent('h1')).toBe('Allow Shop to use your account?');
  expect(await tabStops(page, 2)).toEqual([
    ['allow', 'visible'],
    ['deny', 'visible'],
  ]);
  await page.keyboard.press('Shift+Tab');
  await press(page, 'Space');
  expect([page.url(), await page.textContent('#who')]).toEqual([`${shop.origin}/`, 'ada@example.com']);

  await page.goto(`${idp.issuer}/logout`);
  expect(await tabStops(page, 2)).toEqual([
    ['sign-out', 'visible'],
    ['stay', 'visible'],
  ]);
  await page.keyboard.press('Shift+Tab');
  await press(page, 'Enter');
  expect(await page.textContent('h1')).toBe('You are signed out');
});

test('Enter in the password field signs in: it is the first button, not the one that goes back', async () => {
  const idp = await startIdp({ host: 'localhost' });
  await idp.addUser();
  const shop = await startApp(idp, { name: 'Shop' });
  const { page } = await newVisit();

  await page.goto(shop.login);
  await page.waitForSelector('#email:focus'); // a browser moves the focus when it draws
  await page.keyboard.type('ada@example.com');
  await page.keyboard.press('Tab');
  await page.keyboard.type(password);
  await press(page, 'Enter');
  expect(await page.textContent('#who')).toBe('ada@example.com');
});

async function press(page: Page, key: string): Promise<void> {
  const loaded = page.waitForEvent('load');
  await page.keyboard.press(key);
  await loaded;
}

/** Presses Tab so many times and tells where that leads. */
async function tabStops(page: Page, count: number): Promise<unknown[]> {
  const stops: unknown[] = [];
  for (let at = 0; at < count; at += 1) {
    await page.keyboard.press('Tab');
    stops.push(await focused(page));
  }
  return stops;
}

/** The id, or else the words, of what has the focus, and whether that is seen: by an outline, or looks that change with it. */
function focused(page: Page): Promise<unknown> {
  return page.evaluate(`(() => {
    const element = document.activeElement;
    const looks = () => {
      const { outlineStyle, outlineWidth, boxShadow, borderColor } = getComputedStyle(element);
      return [outlineStyle === 'none' ? 0 : parseFloat(outlineWidth), boxShadow, borderColor].join();
    };
    const name = element.id || element.ariaLabel || element.textContent.trim();
    const before = looks();
    element.blur();
    const without = looks();
    element.focus({ focusVisible: true });
    return [name, before === without ? 'invisible' : 'visible'];
  })()`);
}
