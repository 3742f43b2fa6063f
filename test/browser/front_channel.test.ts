import { expect, test } from 'vitest';
import { newVisit, typeCredentials } from '../support/chromium.js';
import { startIdp } from '../support/idp.js';
import { startApp } from '../support/relying_app.js';

/** Somebody who is signed in to two applications on two other sites, both of which are told by frames. */
async function started(options: Parameters<typeof newVisit>[0] = {}) {
  const idp = await startIdp({ host: 'localhost' });
  await idp.addUser();
  const shop = await startApp(idp, { name: 'Shop', frontchannel: true });
  const blog = await startApp(idp, { name: 'Blog', host: 'app-b.localhost', frontchannel: true });
  const { page } = await newVisit(options);
  await page.goto(shop.login);
  await typeCredentials(page);
  await page.goto(blog.login);
  return { idp, shop, blog, page };
}

test('a sign-out at one application signs out of the other by a frame, and goes on (FCL-01, FCL-02)', async () => {
  const { shop, blog, page } = await started();
  await page.goto(blog.origin);
  expect(await page.textContent('#who')).toBe('ada@example.com');

  await page.goto(`${shop.logout}?state=kept`);
  await page.waitForURL(`${shop.origin}/bye?state=kept`);
  await page.goto(blog.origin);
  expect(await page.textContent('#who')).toBe('nobody');
});

test('an application that never answers holds nobody up for more than five seconds (FCL-02)', async () => {
  const { shop, blog, page } = await started();
  await page.route(`${blog.origin}/told*`, () => undefined);
  const began = performance.now();
  await page.goto(`${shop.logout}?state=kept`, { waitUntil: 'commit' });
  await page.waitForURL(`${shop.origin}/bye?state=kept`, { timeout: 15_000 });
  expect(performance.now() - began).toBeGreaterThan(4500);
});

test('without scripts the applications are told all the same, and a link goes on', async () => {
  const { shop, blog, page } = await started({ javaScriptEnabled: false });
  await page.goto(shop.logout);
  expect(await page.textContent('h1')).toBe('You are signed out');
  await page.click('#continue');
  await page.waitForURL(`${shop.origin}/bye`);
  await page.goto(blog.origin);
  expect(await page.textContent('#who')).toBe('nobody');
});
