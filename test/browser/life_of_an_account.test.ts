/** One account from its beginning to its end, as its owner lives it: everything by pages, and mails read where they arrive. */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { deleteAccounts } from '../../src/jobs/delete_accounts.js';
import * as users from '../../src/store/users.js';
import { follow, newVisit, typeCredentials } from '../support/chromium.js';
import { startIdp } from '../support/idp.js';
import { startApp } from '../support/relying_app.js';
import { plugIn } from '../support/virtual_authenticator.js';

/** Milliseconds: it is some thirty pages. */
const timeout = 120_000;
const email = 'grace@example.com';
const first_password = 'seven tall ships at anchor';
const second_password = 'nine quiet rivers and a bridge';

/** Opens a mail at the development page, and follows its link. It is written after the answer that promised it. */
async function followMail(page: Page, subject: string): Promise<void> {
  await follow(page, '#dev-mail');
  const mail = page.getByRole('link', { name: subject });
  for (let tries = 0; tries < 50 && (await mail.count()) === 0; tries += 1) await page.reload();
  await mail.click();
  await follow(page, '#mail-link');
}

test('a new person registers, verifies, adds a passkey, signs in with it on two sites, loses it, recovers, and deletes the account', {
  timeout,
}, async () => {
  const idp = await startIdp({ host: 'localhost', settings: { USER_REGISTRATION: 'open' } });
  const metadata = { first_party: true };
  const shop = await startApp(idp, { name: 'Shop', metadata });
  const blog = await startApp(idp, { name: 'Blog', host: 'app-b.localhost', metadata });
  const { page, clearCookies } = await newVisit();
  const authenticator = await plugIn(page);
  const expectSignedIn = async ({ origin }: { origin: string }) => {
    await page.waitForURL(`${origin}/`);
    expect(await page.textContent('#who')).toBe(email);
  };

  // Comes to a shop, has no account yet, makes one, and is in the shop.
  await page.goto(shop.login);
  await follow(page, '#register');
  await page.fill('#email', email);
  await follow(page, '#send');
  expect(await users.findByEmail(idp.db, email)).toBeUndefined(); // nobody, until the address is proved
  await followMail(page, 'Create your account');
  await page.fill('#name', 'Grace');
  await page.fill('#password', first_password);
  await follow(page, '#create');
  await expectSignedIn(shop);
  expect(await users.findByEmail(idp.db, email)).toMatchObject({ email_verified: 1, name: 'Grace' });

  await page.goto(`${idp.issuer}/account/passkeys`);
  await follow(page, '#add-passkey');
  await follow(page, '#use-passkey');
  const [code = ''] = (await page.textContent('#codes'))?.split('\n') ?? [];
  await follow(page, '#keep'); // before that they do not count

  // Another day: the passkey alone, which the browser offers by itself, and the second site asks nothing.
  await clearCookies();
  await page.goto(shop.login);
  await expectSignedIn(shop);
  await page.goto(blog.login);
  await expectSignedIn(blog);

  // The passkey is lost, and the password forgotten long ago.
  await clearCookies();
  await authenticator.lose();
  await page.goto(blog.login);
  await follow(page, '#forgot');
  await page.fill('#email', email);
  await follow(page, '#send');
  await followMail(page, 'Set a new password');
  await page.fill('#password', second_password);
  await follow(page, '#set-password');
  await page.goto(blog.login);
  await typeCredentials(page, { email, password: second_password });
  await follow(page, 'a[href*="way=recovery_code"]'); // a new password is no way around the second factor
  await page.fill('#code', code);
  await follow(page, '#continue');
  await expectSignedIn(blog);

  await page.goto(`${idp.issuer}/account/passkeys`);
  await follow(page, '#passkeys a');
  await follow(page, '#remove');

  // And leaves for good: the applications at once, the account when the time of grace is over.
  await page.goto(`${idp.issuer}/account/delete`);
  await page.fill('#typed', email);
  await follow(page, '#delete');
  expect(new URL(page.url()).pathname).toBe('/goodbye');
  await page.goto(`${shop.origin}/login?prompt=none`);
  expect(await page.textContent('#error')).toContain('login_required');
  idp.advance(idp.config.ACCOUNT_DELETION_GRACE_SECONDS + 1);
  await deleteAccounts.run(idp.deps, idp.now(), new AbortController().signal);
  expect(await users.findByEmail(idp.db, email)).toBeUndefined();
});
