/** The way to every page about passkeys and second factors, for tests that look at all of them. */
import type { Page } from 'playwright-core';
import * as users from '../../src/store/users.js';
import { beSignedIn, follow, typeCredentials } from './chromium.js';
import { addApp, addRecoveryCodes, proveFactors } from './factors.js';
import type { TestIdp } from './idp.js';
import { givePasskey } from './passkeys.js';
import type { RelyingApp } from './relying_app.js';

interface World {
  readonly idp: TestIdp;
  readonly shop: RelyingApp;
  readonly ada: Awaited<ReturnType<TestIdp['addUser']>>;
}

export const factorWays = {
  passkeys: async (page: Page, { idp, ada }: World) => {
    await beSignedIn(page, idp);
    await givePasskey(idp, ada, {
      name: 'A security key with a name that is rather long',
      user_verified: false,
    });
    await givePasskey(idp, ada, { backup_eligible: true });
    await page.goto(`${idp.issuer}/account/passkeys`);
  },
  'a new passkey': async (page: Page, { idp }: World) => {
    await beSignedIn(page, idp);
    await page.goto(`${idp.issuer}/account/passkeys/add`);
  },
  'a passkey': async (page: Page, { idp, ada }: World) => {
    await beSignedIn(page, idp);
    const { row } = await givePasskey(idp, ada);
    await page.goto(`${idp.issuer}/account/passkeys/edit?id=${row.id}&done=added`);
  },
  'a passkey as the second factor': async (page: Page, { idp, ada, shop }: World) => {
    await givePasskey(idp, ada);
    await page.goto(shop.login);
    await typeCredentials(page);
  },
  'second factor': async (page: Page, { idp, shop }: World) => {
    const ada = await users.findByEmail(idp.db, 'ada@example.com');
    await addApp(idp, ada?.id ?? '');
    await addRecoveryCodes(idp, ada?.id ?? '');
    await page.goto(shop.login);
    await typeCredentials(page);
  },
  'second factors of an account': async (page: Page, { idp }: World) => {
    await beSignedIn(page, idp);
    const ada = await users.findByEmail(idp.db, 'ada@example.com');
    await addApp(idp, ada?.id ?? '');
    await page.goto(`${idp.issuer}/account/security`);
  },
  'a new authenticator app': async (page: Page, { idp }: World) => {
    await beSignedIn(page, idp);
    await page.goto(`${idp.issuer}/account/security/app`);
  },
  'new recovery codes': async (page: Page, { idp }: World) => {
    await beSignedIn(page, idp);
    const ada = await users.findByEmail(idp.db, 'ada@example.com');
    await addApp(idp, ada?.id ?? '');
    await proveFactors(idp, ada?.id ?? '');
    await page.goto(`${idp.issuer}/account/security/codes`);
  },
  'a second factor is required': async (page: Page, { idp }: World) => {
    await idp.addUser({ email: 'guarded@example.com', roles: ['guarded'], email_verified: false });
    await page.goto(`${idp.issuer}/login`);
    await typeCredentials(page, { email: 'guarded@example.com' });
  },
  'a code was sent by mail': async (page: Page, { idp }: World) => {
    await idp.addUser({ email: 'guarded@example.com', roles: ['guarded'] });
    await page.goto(`${idp.issuer}/login`);
    await typeCredentials(page, { email: 'guarded@example.com' });
    await follow(page, '#send');
  },
};
