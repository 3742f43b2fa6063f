import { expect, test } from 'vitest';
import { follow, newVisit, typeCredentials } from '../support/chromium.js';
import { startIdp } from '../support/idp.js';
import { startApp } from '../support/relying_app.js';

/** Somebody who is signed in to two applications on two other sites. */
async function started() {
  const idp = await startIdp({ host: 'localhost' });
  await idp.addUser();
  const shop = await startApp(idp, { name: 'Shop', documents: true });
  const blog = await startApp(idp, { name: 'Blog', host: 'app-b.localhost' });
  const { page } = await newVisit();
  await page.goto(shop.login);
  await typeCredentials(page);
  await page.goto(blog.login);
  expect(await page.textContent('#who')).toBe('ada@example.com');
  return { idp, shop, blog, page };
}

test.each(['redirect', 'post'])(
  'a sign-out at one application, by %s, is seen by the other on its next silent check (RIL-08)',
  async (by) => {
    const { shop, blog, page } = await started();

    await page.goto(`${shop.logout}?by=${by}&state=kept`);
    if (by === 'post') await follow(page, '#go');
    expect(page.url()).toBe(`${shop.origin}/bye?state=kept`); // its id_token_hint vouches for it: nothing is asked

    await page.goto(blog.origin);
    expect(await page.textContent('#who')).toBe('ada@example.com'); // its own session, until it looks
    await page.goto(`${blog.login}?prompt=none`);
    expect(await page.textContent('#error')).toBe('login_required');
    await page.goto(blog.origin);
    expect(await page.textContent('#who')).toBe('nobody');
  },
);

test('without a hint the person is asked, and may stay (RIL-02)', async () => {
  const { idp, shop, page } = await started();
  const asked = `${idp.issuer}/logout?client_id=${shop.client.client.client_id}`;

  await page.goto(asked);
  expect(await page.textContent('h1')).toBe('Sign out?');
  expect(await page.textContent('main')).toContain('Shop asks to sign you out');
  await follow(page, '#stay');
  expect(page.url()).toBe(`${idp.issuer}/`);
  expect(await page.textContent('h1')).toBe('You are signed in');

  await page.goto(asked);
  await follow(page, '#sign-out');
  expect(await page.textContent('h1')).toBe('You are signed out');
  expect(await page.getByRole('link', { name: 'Back to Shop' }).getAttribute('href')).toBe(`${shop.origin}/`);
  await page.goto(`${shop.login}?prompt=none`);
  expect(await page.textContent('#error')).toBe('login_required');
});

test('the start page signs out too', async () => {
  const { idp, blog, page } = await started();
  await page.goto(idp.issuer);
  await follow(page, '#sign-out');
  expect(await page.textContent('h1')).toBe('You are signed out');
  await page.goto(`${blog.login}?prompt=none`);
  expect(await page.textContent('#error')).toBe('login_required');
});

test('after a sign-out the back button shows nothing that still works', async () => {
  const { idp, page } = await started();
  await page.goto(idp.issuer);
  await follow(page, '#sign-out');
  await page.goBack();
  expect(await page.textContent('h1')).not.toBe('You are signed in');
});
