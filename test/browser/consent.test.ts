import { expect, test } from 'vitest';
import { follow, newVisit, typeCredentials } from '../support/chromium.js';
import { startIdp } from '../support/idp.js';
import { startApp } from '../support/relying_app.js';

/** An application that people have to agree to, and somebody who is signed in. */
async function started() {
  const idp = await startIdp({ host: 'localhost' });
  await idp.addUser();
  const shop = await startApp(idp, { name: 'Shop', documents: true, metadata: { first_party: false } });
  const visit = await newVisit();
  await visit.page.goto(shop.login);
  await typeCredentials(visit.page);
  return { idp, shop, page: visit.page };
}

test('the consent page says who asks, for what, and where it leads (INT-11, INT-12)', async () => {
  const { idp, shop, page } = await started();

  expect(page.url()).toMatch(`${idp.issuer}/consent?`);
  expect(await page.textContent('h1')).toBe('Allow Shop to use your account?');
  expect(await page.textContent('main')).toContain('ada@example.com');
  expect(await page.textContent('.host')).toBe(new URL(shop.origin).host);
  expect(await page.locator('.items > li .title').allTextContents()).toEqual([
    'That you signed in',
    expect.stringMatching(/mail address/),
    'Your profile',
  ]);
  const links = page.locator('footer a');
  expect(await links.evaluateAll((all) => all.map((each) => each.getAttribute('href')))).toEqual([
    `${shop.origin}/policy`,
    `${shop.origin}/terms`,
  ]);
  expect(await links.first().isVisible()).toBe(true);
  const logo = page.locator('img.logo');
  expect(await logo.getAttribute('src')).toBe(`/logos/${shop.client.client.client_id}`); // served by us
  expect(await logo.evaluate(pixels)).toBe(1);
});

test('the login page names the application with its logo, policy and terms (INT-11)', async () => {
  const idp = await startIdp({ host: 'localhost' });
  const shop = await startApp(idp, { name: 'Shop', documents: true });
  const { page } = await newVisit();

  await page.goto(shop.login);
  expect(await page.textContent('h1')).toBe('Sign in to continue to Shop');
  expect(await page.locator('img.logo').evaluate(pixels)).toBe(1);
  expect(await page.getByRole('link', { name: 'Privacy policy' }).getAttribute('href')).toBe(
    `${shop.origin}/policy`,
  );
  expect(await page.getByRole('link', { name: 'Terms of service' }).getAttribute('href')).toBe(
    `${shop.origin}/terms`,
  );
});

test('what was allowed is not asked again; what is new, is', async () => {
  const { shop, page } = await started();
  await follow(page, '#allow');
  expect([page.url(), await page.textContent('#who')]).toEqual([`${shop.origin}/`, 'ada@example.com']);

  await page.goto(shop.login);
  expect(page.url()).toBe(`${shop.origin}/`); // no page in between

  await page.goto(`${shop.login}?scope=openid+email+offline_access`);
  expect(await page.textContent('.items')).toContain('Access while you are away');
  await follow(page, '#allow');
  expect(page.url()).toBe(`${shop.origin}/`);
});

test('who denies is back in the application with access_denied, and is asked again next time (INT-10)', async () => {
  const { shop, page } = await started();
  await follow(page, '#deny');
  expect([new URL(page.url()).origin, await page.textContent('#error')]).toEqual([
    shop.origin,
    'access_denied',
  ]);

  await page.goto(shop.login);
  expect(await page.textContent('h1')).toBe('Allow Shop to use your account?');
});

test('consent is remembered for each application by itself (INT-17)', async () => {
  const { idp, page } = await started();
  await follow(page, '#allow');
  const blog = await startApp(idp, {
    name: 'Blog',
    host: 'app-b.localhost',
    metadata: { first_party: false },
  });
  await page.goto(blog.login);
  expect(await page.textContent('h1')).toBe('Allow Blog to use your account?');
});

/** How wide a picture is that was really loaded. */
function pixels(image: { readonly naturalWidth: number }): number {
  return image.naturalWidth;
}
