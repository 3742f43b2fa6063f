/** An authenticator app in a real browser: read from the page, used another day, at another second than the server's. */
import { expect, test } from 'vitest';
import { follow, newVisit, typeCredentials } from '../support/chromium.js';
import { appOf } from '../support/factors.js';
import { startIdp } from '../support/idp.js';
import { startApp } from '../support/relying_app.js';

test('an authenticator app is set up, and signs in at an application as time goes by; a code that has passed does not', async () => {
  const idp = await startIdp({ host: 'localhost' });
  await idp.addUser();
  const shop = await startApp(idp, { name: 'Shop', metadata: { first_party: true } });
  const { page, clearCookies } = await newVisit();

  await page.goto(`${idp.issuer}/login`);
  await typeCredentials(page);
  await page.goto(`${idp.issuer}/account/security`);
  await follow(page, '#add-app');
  const app = appOf((await page.textContent('#secret')) ?? '', idp);
  await page.fill('#name', 'Telephone');
  await page.fill('#code', app.code());
  await follow(page, '#add');
  await follow(page, '#keep'); // the recovery codes
  expect(await page.textContent('#apps')).toContain('Telephone');

  await clearCookies();
  idp.advance(86_400);
  await page.goto(shop.login);
  await typeCredentials(page);
  const code = app.code();
  idp.advance(90); // the person was called away
  await page.fill('#code', code);
  await follow(page, '#continue');
  expect(await page.textContent('#code-error')).toContain('That code is not right.');
  await page.fill('#code', app.code(-1)); // the telephone's clock is half a minute slow
  await follow(page, '#continue');
  await page.waitForURL(`${shop.origin}/`);
  expect(await page.textContent('#who')).toBe('ada@example.com');
});
