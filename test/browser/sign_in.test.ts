import { expect, test } from 'vitest';
import { follow, newVisit, typeCredentials } from '../support/chromium.js';
import { startIdp } from '../support/idp.js';
import { startApp } from '../support/relying_app.js';

test('one password opens two applications on two other sites', async () => {
  const idp = await startIdp({ host: 'localhost' });
  const { id } = await idp.addUser();
  const shop = await startApp(idp, { name: 'Shop' });
  const blog = await startApp(idp, { name: 'Blog', host: 'app-b.localhost' });
  const { page } = await newVisit();

  await page.goto(shop.login);
  expect(await page.textContent('h1')).toBe('Sign in to continue to Shop');
  await typeCredentials(page);
  expect([page.url(), await page.textContent('#who')]).toEqual([`${shop.origin}/`, 'ada@example.com']);

  await page.goto(blog.login); // no password this time
  expect([page.url(), await page.textContent('#who')]).toEqual([`${blog.origin}/`, 'ada@example.com']);
  expect([shop.last()?.sub, blog.last()?.sub]).toEqual([id, id]);
  expect(blog.last()?.sid).toBe(shop.last()?.sid);
});

test('a wrong password is told at its field, and the next try ends in the application', async () => {
  const idp = await startIdp({ host: 'localhost' });
  await idp.addUser();
  const shop = await startApp(idp, { name: 'Shop' });
  const { page } = await newVisit();

  await page.goto(shop.login);
  await typeCredentials(page, { password: 'not the password' });
  const field = page.locator('#password');
  expect(await field.getAttribute('aria-invalid')).toBe('true');
  const told = await page.textContent(`#${await field.getAttribute('aria-describedby')}`);
  expect(told).toMatch(/address or the password is not right/);
  expect(await page.inputValue('#email')).toBe('ada@example.com');
  expect(await page.evaluate('document.activeElement.id')).toBe('password');

  await page.keyboard.type('correct horse battery staple');
  await page.keyboard.press('Enter');
  await page.waitForURL(`${shop.origin}/`);
  expect(await page.textContent('#who')).toBe('ada@example.com');
});

test('the password can be shown, and hidden again', async () => {
  const idp = await startIdp({ host: 'localhost' });
  const { page } = await newVisit();

  await page.goto(`${idp.issuer}/login`);
  await page.fill('#password', 'abc');
  const button = page.getByRole('button', { name: 'Show password' });
  await button.click();
  expect(await page.getAttribute('#password', 'type')).toBe('text');
  expect(await button.getAttribute('aria-pressed')).toBe('true');
  await button.click();
  expect(await page.getAttribute('#password', 'type')).toBe('password');
});

test('who goes back from the login page is back in the application, not signed in (INT-10)', async () => {
  const idp = await startIdp({ host: 'localhost' });
  const shop = await startApp(idp, { name: 'Shop' });
  const { page } = await newVisit();

  await page.goto(`${shop.login}?login_hint=ada@example.com`);
  expect(await page.inputValue('#email')).toBe('ada@example.com');
  await follow(page, 'text=Back to Shop');
  expect([new URL(page.url()).origin, await page.textContent('#error')]).toEqual([
    shop.origin,
    'access_denied',
  ]);
});

test.each(['redirect', 'post'])('prompt=none never shows a page, asked for by %s (INT-01)', async (by) => {
  const idp = await startIdp({ host: 'localhost' });
  await idp.addUser();
  const shop = await startApp(idp, { name: 'Shop' });
  const { page } = await newVisit();
  const pages: string[] = [];
  page.on('response', (response) => {
    const html = response.headers()['content-type']?.startsWith('text/html');
    if (html && response.url().startsWith(idp.issuer)) pages.push(response.url());
  });
  async function silently() {
    await page.goto(`${shop.login}?prompt=none&by=${by}`);
    if (by === 'post') await follow(page, '#go');
  }

  await silently();
  expect(await page.textContent('#error')).toBe('login_required');
  expect(pages).toEqual([]);

  await page.goto(shop.login);
  await typeCredentials(page);
  pages.length = 0;
  await silently();
  expect(await page.textContent('#who')).toBe('ada@example.com');
  expect(pages).toEqual([]);
});

test('a POST to /authorize from another site finds the session', async () => {
  const idp = await startIdp({ host: 'localhost' });
  await idp.addUser();
  const shop = await startApp(idp, { name: 'Shop' });
  const blog = await startApp(idp, { name: 'Blog', host: 'app-b.localhost' });
  const { page } = await newVisit();

  await page.goto(`${shop.login}?by=post`);
  await follow(page, '#go');
  await typeCredentials(page);
  expect(await page.textContent('#who')).toBe('ada@example.com');

  await page.goto(`${blog.login}?by=post`);
  await follow(page, '#go');
  expect([page.url(), await page.textContent('#who')]).toEqual([`${blog.origin}/`, 'ada@example.com']);
});

test('response_mode=form_post takes the code to the application by a form (Form Post Response Mode §2)', async () => {
  const idp = await startIdp({ host: 'localhost' });
  await idp.addUser();
  const shop = await startApp(idp, { name: 'Shop' });
  const { page } = await newVisit();
  const posted: string[] = [];
  page.on('request', (request) => {
    if (request.method() === 'POST') posted.push(request.url());
    expect(new URL(request.url()).searchParams.get('code')).toBeNull(); // nothing in a query
  });

  await page.goto(`${shop.login}?response_mode=form_post`);
  await typeCredentials(page);
  await page.waitForURL(`${shop.origin}/`);
  expect(await page.textContent('#who')).toBe('ada@example.com');
  expect(posted).toEqual([`${idp.issuer}/login`, `${shop.origin}/cb`]);

  await page.goto(`${shop.login}?response_mode=form_post&prompt=login`);
  await follow(page, '#cancel'); // errors go the same way
  await page.waitForSelector('#error');
  expect(await page.textContent('#error')).toBe('access_denied');
});

test('prompt=select_account: go on as the same person, or as another', async () => {
  const idp = await startIdp({ host: 'localhost' });
  await idp.addUser();
  await idp.addUser({ email: 'grace@example.com', claims: { name: 'Grace Hopper' } });
  const shop = await startApp(idp, { name: 'Shop' });
  const { page } = await newVisit();
  await page.goto(shop.login);
  await typeCredentials(page);

  await page.goto(`${shop.login}?prompt=select_account`);
  expect(await page.textContent('#continue')).toContain('ada@example.com');
  await follow(page, '#continue');
  expect(await page.textContent('#who')).toBe('ada@example.com');

  await page.goto(`${shop.login}?prompt=select_account`);
  await follow(page, '#another');
  await typeCredentials(page, { email: 'grace@example.com' });
  expect(await page.textContent('#who')).toBe('grace@example.com');
});

test('prompt=login asks once although somebody is signed in, and moves auth_time (INT-03)', async () => {
  const idp = await startIdp({ host: 'localhost' });
  await idp.addUser();
  const shop = await startApp(idp, { name: 'Shop' });
  const { page } = await newVisit();
  await page.goto(shop.login);
  await typeCredentials(page);
  const before = shop.last();

  idp.advance(60);
  await page.goto(`${shop.login}?prompt=login`);
  await typeCredentials(page);
  expect([page.url(), await page.textContent('#who')]).toEqual([`${shop.origin}/`, 'ada@example.com']);
  expect(shop.last()?.sid).toBe(before?.sid);
  expect(shop.last()?.auth_time).toBe((before?.auth_time ?? 0) + 60);
});
