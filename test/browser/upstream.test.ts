import { expect, test } from 'vitest';
import { follow, newVisit, typeCredentials } from '../support/chromium.js';
import { startUpstream } from '../support/identity_provider.js';
import { startIdp } from '../support/idp.js';
import { startApp } from '../support/relying_app.js';

test('somebody comes by another provider, proves who they are here, and needs no password from then on', async () => {
  const idp = await startIdp({ host: 'localhost' });
  const { id } = await idp.addUser();
  const { there, person } = await startUpstream(idp, { mail_domains: 'elsewhere.example' });
  const shop = await startApp(idp, { name: 'Shop' });
  const { page } = await newVisit();

  await page.goto(shop.login);
  await page.fill('#email', person.email); // an address that belongs there, and no password
  await page.keyboard.press('Enter');
  await page.waitForURL(`${there.issuer}/login**`);
  expect(await page.inputValue('#email')).toBe(person.email);
  await typeCredentials(page, { email: person.email });
  expect(await page.textContent('h1')).toBe('Your Elsewhere account is not connected yet');
  await follow(page, '#sign-in');
  await typeCredentials(page);
  expect(await page.textContent('h1')).toBe('Connect your Elsewhere account?');
  await follow(page, '#connect');
  expect([page.url(), shop.last()?.sub]).toEqual([`${shop.origin}/`, id]);

  await page.context().clearCookies({ domain: 'localhost' }); // signed out here, and still signed in there
  await page.goto(shop.login);
  await follow(page, '#with-elsewhere');
  expect([page.url(), shop.last()?.sub]).toEqual([`${shop.origin}/`, id]);

  await page.goto(`${idp.issuer}/logout`);
  await follow(page, '#sign-out');
  await follow(page, '#sign-out-there');
  expect([new URL(page.url()).pathname, await page.textContent('h1')]).toEqual([
    '/signed-out',
    'You are signed out',
  ]);
  await page.goto(`${there.issuer}/`);
  expect(await page.textContent('h1')).not.toContain('You are signed in');
});
