import { expect, test } from 'vitest';
import { offerClaim } from '../../src/actions/setup.js';
import { follow, newVisit, typeCredentials } from '../support/chromium.js';
import { password, startIdp } from '../support/idp.js';
import { startApp } from '../support/relying_app.js';

async function started() {
  const idp = await startIdp({ host: 'localhost' });
  await idp.addUser();
  const shop = await startApp(idp, { name: 'Shop', metadata: { first_party: false } });
  const visit = await newVisit({ javaScriptEnabled: false });
  return { idp, shop, ...visit };
}

test('without scripts: sign in, agree, choose, sign out (HTTP-18)', async () => {
  const { idp, shop, page } = await started();

  await page.goto(shop.login);
  expect(await page.getByRole('button', { name: 'Show password' }).count()).toBe(0);
  await typeCredentials(page, { password: 'wrong' });
  expect(await page.textContent('#password-error')).toContain('not right');
  await typeCredentials(page);
  await follow(page, '#allow');
  expect([page.url(), await page.textContent('#who')]).toEqual([`${shop.origin}/`, 'ada@example.com']);

  await page.goto(`${shop.login}?prompt=select_account`);
  await follow(page, '#continue');
  expect(page.url()).toBe(`${shop.origin}/`);

  await page.goto(`${idp.issuer}/logout`);
  await follow(page, '#sign-out');
  expect(await page.textContent('h1')).toBe('You are signed out');
});

test('without scripts: the code goes to the application by a button (Form Post Response Mode §2)', async () => {
  const { shop, page } = await started();

  await page.goto(`${shop.login}?response_mode=form_post`);
  await typeCredentials(page);
  await follow(page, '#allow');
  const buttons = page.getByRole('button', { name: 'Continue' });
  expect(await buttons.count()).toBe(1); // the one for a script that is late is not shown
  await follow(page, 'noscript button');
  expect([page.url(), await page.textContent('#who')]).toEqual([`${shop.origin}/`, 'ada@example.com']);
});

test('without scripts: the first administrator claims the server', async () => {
  const idp = await startIdp({ host: 'localhost' });
  const link = await offerClaim(idp.deps, idp.now());
  const { page } = await newVisit({ javaScriptEnabled: false });

  await page.goto(link ?? '');
  await page.fill('#name', 'Ada Lovelace');
  await page.fill('#email', 'ada@example.com');
  await page.fill('#password', password);
  await follow(page, '#claim');
  await typeCredentials(page);
  expect(page.url()).toBe(`${idp.issuer}/`);
  expect(await page.textContent('main')).toContain('What to do next');
});
