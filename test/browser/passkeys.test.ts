/** Passkeys in a real browser with an authenticator inside it: made, used at two applications, lost. */
import type { Page } from 'playwright-core';
import { expect, onTestFinished, test } from 'vitest';
import * as passkeys from '../../src/store/passkeys.js';
import * as sessions from '../../src/store/sessions.js';
import { follow, newVisit, spoil, typeCredentials } from '../support/chromium.js';
import { startIdp } from '../support/idp.js';
import { startApp } from '../support/relying_app.js';
import { plugIn } from '../support/virtual_authenticator.js';

async function start(settings: Readonly<Record<string, string>> = {}) {
  const idp = await startIdp({ host: 'localhost', settings });
  const ada = await idp.addUser();
  const visit = await newVisit();
  const authenticator = await plugIn(visit.page);
  return { idp, ada, authenticator, ...visit };
}

/** Presses Tab until an element has the focus, then Enter, and waits for the page that follows. */
async function pressAt(page: Page, id: string): Promise<void> {
  for (let stops = 0; stops < 30; stops += 1) {
    if ((await page.evaluate('document.activeElement?.id')) === id) {
      const loaded = page.waitForEvent('load');
      await page.keyboard.press('Enter');
      return void (await loaded);
    }
    await page.keyboard.press('Tab');
  }
  throw new Error(`${id} cannot be reached by the keyboard`);
}

test('a passkey is made, named and used at two applications; when it is lost a recovery code still works', async () => {
  const { idp, ada, authenticator, page, clearCookies } = await start();
  const shop = await startApp(idp, { name: 'Shop', metadata: { first_party: true } });
  const blog = await startApp(idp, {
    name: 'Blog',
    host: 'app-b.localhost',
    metadata: { first_party: true },
  });

  // With the keyboard alone.
  await page.goto(`${idp.issuer}/login`);
  await typeCredentials(page);
  await page.goto(`${idp.issuer}/account/passkeys`);
  await pressAt(page, 'add-passkey');
  await pressAt(page, 'use-passkey');
  const [code = ''] = (await page.textContent('#codes'))?.split('\n') ?? [];
  await pressAt(page, 'keep');
  await page.goto(`${idp.issuer}/account/passkeys`);
  await follow(page, '#passkeys a');
  await page.fill('#name', 'Laptop');
  await pressAt(page, 'rename');
  expect(await page.textContent('#passkeys')).toContain('Laptop');

  // A second one for the same account is not made on the same device.
  await page.goto(`${idp.issuer}/account/passkeys/add`);
  await page.click('#use-passkey');
  await page.getByText('is there already').waitFor();
  expect([await authenticator.count(), (await passkeys.list(idp.db, ada.id)).length]).toEqual([1, 1]);

  // The browser offers it in the field for the address: nothing is typed and nothing pressed.
  await clearCookies();
  await page.goto(shop.login);
  await page.waitForURL(`${shop.origin}/`);
  expect(await page.textContent('#who')).toBe('ada@example.com');

  // By the button, in a browser that fills in nothing by itself.
  await clearCookies();
  const script = await page.addInitScript('delete PublicKeyCredential.isConditionalMediationAvailable');
  onTestFinished(() => script.dispose());
  await page.goto(blog.login);
  await pressAt(page, 'use-passkey');
  expect([page.url(), await page.textContent('#who')]).toEqual([`${blog.origin}/`, 'ada@example.com']);
  expect(await sessions.listByUser(idp.db, ada.id, idp.now())).toContainEqual(
    expect.objectContaining({ amr: 'pop hwk user mfa', acr: 'phr' }),
  );

  await clearCookies();
  await authenticator.lose();
  await page.goto(shop.login);
  await page.click('#use-passkey');
  await page.getByText('You can try again').waitFor();
  await typeCredentials(page);
  await follow(page, 'a[href*="way=recovery_code"]');
  await page.fill('#code', code);
  await follow(page, '#continue');
  expect([page.url(), await page.textContent('#who')]).toEqual([`${shop.origin}/`, 'ada@example.com']);
});

test('a passkey is made in the middle of a sign-in that needs a second factor, in the place of an app', async () => {
  const { idp, ada, page } = await start({ SECOND_FACTOR: 'required' });
  const shop = await startApp(idp, { name: 'Shop', metadata: { first_party: true } });
  await page.goto(shop.login);
  await typeCredentials(page);
  await pressAt(page, 'use-passkey');
  await pressAt(page, 'keep');
  expect([page.url(), await page.textContent('#who')]).toEqual([`${shop.origin}/`, 'ada@example.com']);
  expect(await passkeys.list(idp.db, ada.id)).toHaveLength(1);
});

test('without scripts, and where the issuer has no name, the login page asks for the password alone', async () => {
  const idp = await startIdp({ host: 'localhost' });
  const { page } = await newVisit({ javaScriptEnabled: false });
  await page.goto(`${idp.issuer}/login`);
  expect(await page.locator('#use-passkey').isVisible()).toBe(false);
  await page.goto(`${idp.url}/login`);
  expect(await page.locator('#sign-in').isVisible()).toBe(true);
});

test('a passkey that was removed from the account is refused in words, and the browser forgets it', async () => {
  const { idp, ada, authenticator, page, clearCookies } = await start();
  await page.goto(`${idp.issuer}/login`);
  await typeCredentials(page);
  await page.goto(`${idp.issuer}/account/passkeys/add`);
  await follow(page, '#use-passkey');
  const [row] = await passkeys.list(idp.db, ada.id);
  await idp.db.transaction((trx) => passkeys.remove(trx, { id: row?.id ?? '', user_id: ada.id }));
  await clearCookies();
  await page.goto(`${idp.issuer}/login`);
  await page.getByText('cannot be used here').waitFor();
  await expect.poll(() => authenticator.count()).toBe(0);
  await typeCredentials(page);
  expect(new URL(page.url()).pathname).toBe('/');
});

test('a login page that was left alone is fetched anew by who comes back, unless something is typed in it', async () => {
  const idp = await startIdp({ host: 'localhost' });
  const { page } = await newVisit();
  spoil(page);
  await page.clock.install();
  const comeBack = async () => {
    await page.clock.fastForward(300_000);
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))");
  };
  await page.goto(`${idp.issuer}/login`);
  await page.fill('#email', 'ada');
  await comeBack();
  expect(await page.inputValue('#email')).toBe('ada');
  await page.fill('#email', '');
  const fetched = page.waitForEvent('load');
  await comeBack();
  await fetched;
  expect(new URL(page.url()).pathname).toBe('/login');
});
