import { expect, test } from 'vitest';
import { follow, newVisit, typeCredentials } from '../support/chromium.js';
import { startIdp } from '../support/idp.js';
import { startApp } from '../support/relying_app.js';

const quarter_of_an_hour = 15 * 60;

async function started(metadata: object = {}) {
  const idp = await startIdp({ host: 'localhost' });
  await idp.addUser();
  const shop = await startApp(idp, { name: 'Shop', metadata });
  return { idp, shop, ...(await newVisit()) };
}

/** The way every story here ends. */
const inTheShop = (origin: string) => [`${origin}/`, 'ada@example.com'];

test('two tabs with two applications end each in its own (INT-15)', async () => {
  const { idp, shop, page, newTab } = await started();
  const blog = await startApp(idp, { name: 'Blog', host: 'app-b.localhost' });
  const other = await newTab();
  await page.goto(shop.login);
  await other.goto(blog.login);

  await typeCredentials(page);
  expect([page.url(), await page.textContent('#who')]).toEqual(inTheShop(shop.origin));
  await typeCredentials(other); // this page was open before anybody had signed in
  expect([other.url(), await other.textContent('#who')]).toEqual(inTheShop(blog.origin));
  expect(blog.last()?.sid).toBe(shop.last()?.sid);
});

test('a second tab of the same application does not disturb the first', async () => {
  const { shop, page, newTab } = await started();
  const other = await newTab();
  await page.goto(shop.login);
  await other.goto(shop.login);

  await typeCredentials(page);
  expect([page.url(), await page.textContent('#who')]).toEqual(inTheShop(shop.origin));
  await other.reload();
  await typeCredentials(other);
  expect([other.url(), await other.textContent('#who')]).toEqual(inTheShop(shop.origin));
});

test('a consent page from before a sign-in as another person says so, and the next try ends in the application', async () => {
  const { idp, shop, page, newTab } = await started({ first_party: false });
  await idp.addUser({ email: 'grace@example.com' });
  await page.goto(shop.login);
  await typeCredentials(page);
  const other = await newTab();
  await other.goto(`${shop.login}?prompt=login`);
  await typeCredentials(other, { email: 'grace@example.com' });

  await follow(page, '#allow'); // Ada's page, Grace's session
  expect(await page.textContent('main')).toContain('grace@example.com');
  await follow(page, '#allow');
  expect([page.url(), await page.textContent('#who')]).toEqual([`${shop.origin}/`, 'grace@example.com']);
});

test('after the back button from the application, the sign-in works again', async () => {
  const { shop, page } = await started();
  await page.goto(shop.login);
  await typeCredentials(page);

  await page.goBack();
  await typeCredentials(page);
  expect([page.url(), await page.textContent('#who')]).toEqual(inTheShop(shop.origin));
});

test('after the back button from the application, the consent page works again', async () => {
  const { shop, page } = await started({ first_party: false });
  await page.goto(shop.login);
  await typeCredentials(page);
  await follow(page, '#allow');

  await page.goBack();
  await follow(page, '#allow');
  expect([page.url(), await page.textContent('#who')]).toEqual(inTheShop(shop.origin));

  await page.goBack();
  await follow(page, '#deny');
  expect(await page.textContent('#error')).toBe('access_denied');
});

test('a login page that is sent after more than 15 minutes ends in the application', async () => {
  const { idp, shop, page } = await started();
  await page.goto(shop.login);
  idp.advance(quarter_of_an_hour + 60);
  await typeCredentials(page);
  expect([page.url(), await page.textContent('#who')]).toEqual(inTheShop(shop.origin));
});

test('prompt=login that is answered after more than 15 minutes asks no second time', async () => {
  const { idp, shop, page } = await started();
  await page.goto(shop.login);
  await typeCredentials(page);
  await page.goto(`${shop.login}?prompt=login`);
  idp.advance(quarter_of_an_hour + 60);
  await typeCredentials(page);
  expect([page.url(), await page.textContent('#who')]).toEqual(inTheShop(shop.origin));
});

test('a consent page that is sent after more than 15 minutes ends in the application', async () => {
  const { idp, shop, page } = await started({ first_party: false });
  await page.goto(shop.login);
  await typeCredentials(page);
  idp.advance(quarter_of_an_hour + 60);
  await follow(page, '#allow');
  expect([page.url(), await page.textContent('#who')]).toEqual(inTheShop(shop.origin));
});

test('a consent page whose session has ended leads over the login page into the application', async () => {
  const { idp, shop, page } = await started({ first_party: false });
  await page.goto(shop.login);
  await typeCredentials(page);
  idp.advance(2 * idp.config.SESSION_IDLE_SECONDS);
  await follow(page, '#allow');
  await typeCredentials(page);
  await follow(page, '#allow');
  expect([page.url(), await page.textContent('#who')]).toEqual(inTheShop(shop.origin));
});

test('when the cookies were lost the login page says what to do, and the next try ends in the application', async () => {
  const { shop, page, clearCookies } = await started();
  await page.goto(shop.login);
  await clearCookies();
  await typeCredentials(page);

  expect(await page.textContent('[role=alert]')).toContain('Please try again.');
  await typeCredentials(page);
  expect([page.url(), await page.textContent('#who')]).toEqual(inTheShop(shop.origin));
});

test('when the cookies were lost on the consent page, it starts with the login page and ends in the application', async () => {
  const { shop, page, clearCookies } = await started({ first_party: false });
  await page.goto(shop.login);
  await typeCredentials(page);
  await clearCookies();
  await follow(page, '#allow');
  await typeCredentials(page);
  await follow(page, '#allow');
  expect([page.url(), await page.textContent('#who')]).toEqual(inTheShop(shop.origin));
});

test('a server that is restarted while somebody types goes on with them', async () => {
  const { idp, shop, page } = await started({ first_party: false });
  await page.goto(shop.login);
  await idp.restart();
  await typeCredentials(page);
  await idp.restart();
  await follow(page, '#allow');
  expect([page.url(), await page.textContent('#who')]).toEqual(inTheShop(shop.origin));
});

test('a link with a request that is none of ours says what to do', async () => {
  const { idp, page } = await started();
  await page.goto(`${idp.issuer}/login?request=tampered`);
  expect(await page.textContent('main')).toContain('go back to the application and sign in from there');
});
