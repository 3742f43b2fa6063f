import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { signedInWith } from '../support/account.js';
import { newVisit, typeCredentials } from '../support/chromium.js';
import { startIdp } from '../support/idp.js';
import { userAgents } from '../support/user_agents.js';

async function press(page: Page, key: string): Promise<void> {
  const loaded = page.waitForEvent('load');
  await page.keyboard.press(key);
  await loaded;
}

/** Presses Tab until something with these words has the focus. */
async function tabTo(page: Page, words: string): Promise<void> {
  for (let stops = 0; stops < 40; stops += 1) {
    await page.keyboard.press('Tab');
    const [here, visible] = (await page.evaluate(`(() => {
      const element = document.activeElement;
      const { outlineStyle, outlineWidth } = getComputedStyle(element);
      return [element.ariaLabel || element.textContent.trim() || element.id, outlineStyle !== 'none' && parseFloat(outlineWidth) > 0];
    })()`)) as [string, boolean];
    expect([here, visible]).toEqual([here, true]);
    if (here === words) return;
  }
  throw new Error(`no Tab leads to ${words}`);
}

test('another device is found and signed out with the keyboard alone, at 200 % zoom, seeing where one is', async () => {
  const idp = await startIdp({ host: 'localhost' });
  await idp.addUser();
  const phone = await signedInWith(idp, userAgents.safari_iphone);
  const { page } = await newVisit();
  await page.setViewportSize({ width: 640, height: 400 }); // 1280 × 800 at 200 % (WCAG 2.2 §1.4.4)
  await page.goto(`${idp.issuer}/account`);
  await typeCredentials(page);
  expect(await page.textContent('h1')).toBe('Your account');

  await tabTo(page, 'Devices');
  await press(page, 'Enter');
  expect(await page.textContent('[aria-current="page"]')).toBe('Devices');
  await tabTo(page, 'Sign out Safari');
  await press(page, 'Enter');
  expect(await page.textContent('[role="status"]')).toBe(
    'That device is signed out, also of its applications.',
  );
  expect((await phone.get('/account')).url).toBe(`${idp.url}/login`);
  const hidden = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
  expect(await page.evaluate(hidden)).toBe(0);
});

test('the profile is changed without a script, from right to left', async () => {
  const idp = await startIdp({ host: 'localhost' });
  await idp.addUser();
  const { page } = await newVisit({ javaScriptEnabled: false, locale: 'ar' });
  await page.goto(`${idp.issuer}/account/profile`);
  await page.fill('#email', 'ada@example.com');
  await page.fill('#password', 'correct horse battery staple');
  await page.click('#sign-in');
  expect(await page.getAttribute('html', 'dir')).toBe('rtl');
  await page.fill('#nickname', 'آدا');
  await page.click('#save');
  expect(await page.textContent('[role="status"]')).toBe('حُفظ ملفك الشخصي.');
  expect(await page.inputValue('#nickname')).toBe('آدا');
});
