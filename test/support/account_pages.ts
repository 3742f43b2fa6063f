/** The way to every page of an account, for tests that look at all of them. */
import type { Page } from 'playwright-core';
import { signedInWith } from './account.js';
import { beSignedIn, follow, typeCredentials } from './chromium.js';
import type { TestIdp } from './idp.js';
import { type RelyingApp, startApp } from './relying_app.js';
import { userAgents } from './user_agents.js';

interface World {
  readonly idp: TestIdp;
  readonly shop: RelyingApp;
}

async function open(page: Page, { idp }: World, path: string): Promise<void> {
  await beSignedIn(page, idp);
  await page.goto(idp.issuer + path);
}

export const accountWays = {
  account: (page: Page, world: World) => open(page, world, '/account'),
  'account: profile': (page: Page, world: World) => open(page, world, '/account/profile'),
  'account: profile with an error': async (page: Page, world: World) => {
    await open(page, world, '/account/profile');
    await page.fill('#birthdate', 'in spring');
    await follow(page, '#save');
  },
  'account: email': (page: Page, world: World) => open(page, world, '/account/email'),
  'account: password': (page: Page, world: World) => open(page, world, '/account/password'),
  'account: devices': async (page: Page, world: World) => {
    for (const name of ['safari_iphone', 'edge_windows'] as const) {
      await signedInWith(world.idp, userAgents[name]);
      world.idp.advance(7200);
    }
    await open(page, world, '/account/sessions');
  },
  'account: applications': async (page: Page, world: World) => {
    const name = 'An application whose makers gave it a name that is rather long, and then some';
    const own = await startApp(world.idp, { name });
    await page.goto(`${world.shop.login}?scope=openid+profile+email+offline_access`);
    await typeCredentials(page);
    await follow(page, '#allow');
    await page.goto(own.login);
    await page.goto(`${world.idp.issuer}/account/applications`);
  },
  'account: activity': async (page: Page, world: World) => {
    for (let visits = 0; visits < 21; visits += 1) await signedInWith(world.idp, userAgents.chrome_android);
    await open(page, world, '/account/events');
  },
  'account: data': (page: Page, world: World) => open(page, world, '/account/data'),
  'account: delete': async (page: Page, world: World) => {
    await open(page, world, '/account/delete');
    await page.fill('#typed', 'bob@example.com');
    await follow(page, '#delete');
  },
  'account: keep it': async (page: Page, world: World) => {
    await open(page, world, '/account/delete');
    await page.fill('#typed', 'ada@example.com');
    await follow(page, '#delete');
    await open(page, world, '/account');
  },
  goodbye: (page: Page, { idp }: World) => page.goto(`${idp.issuer}/goodbye`),
};
