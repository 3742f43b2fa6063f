/** The way to every page of the server, for tests that look at all of them. */
import type { Page } from 'playwright-core';
import { setBrand } from '../../src/actions/branding.js';
import { offerClaim } from '../../src/actions/setup.js';
import { accountWays } from './account_pages.js';
import { beSignedIn, follow, typeCredentials } from './chromium.js';
import { factorWays } from './factor_pages.js';
import { addProvider, startUpstream } from './identity_provider.js';
import { startIdp, type TestIdp } from './idp.js';
import { linkIn, queueNotice } from './mails.js';
import { addStranger } from './registration.js';
import { type RelyingApp, startApp } from './relying_app.js';

interface World {
  readonly idp: TestIdp;
  readonly shop: RelyingApp;
  readonly ada: Awaited<ReturnType<TestIdp['addUser']>>;
}

type Way = (page: Page, world: World) => Promise<unknown>;

/** From an address that is not of this machine: without details for developers. */
const fromAfar = { 'x-forwarded-for': '203.0.113.9' };

function unregistered({ idp, shop }: World): string {
  const query = new URLSearchParams({
    client_id: shop.client.client.client_id,
    redirect_uri: `${shop.origin}/cb/../other?next=https://attacker.example`,
    response_type: 'code',
    scope: 'openid',
  });
  return `${idp.issuer}/authorize?${query}`;
}

/** An authorization request of an application that registered itself. */
async function strangers(idp: TestIdp, shop: RelyingApp, changes: Record<string, string>): Promise<string> {
  const redirect_uri = `${shop.origin}/cb`;
  const { client } = await addStranger(idp, { client_name: 'Corner Shop', redirect_uris: [redirect_uri] });
  const { client_id } = client;
  return `${idp.issuer}/authorize?${new URLSearchParams({ client_id, redirect_uri, scope: 'openid email', ...changes })}`;
}

/** By way of another server, where the same person has an account, to the page that asks who they are here. */
async function comeFromElsewhere(page: Page, idp: TestIdp): Promise<void> {
  const { person } = await startUpstream(idp);
  await page.goto(`${idp.issuer}/login`);
  await follow(page, '#with-elsewhere');
  await typeCredentials(page, { email: person.email });
  await page.waitForURL('**/upstream/connect');
}

const ways = {
  ...accountWays,
  ...factorWays,
  login: (page, { idp }) => page.goto(`${idp.issuer}/login`),
  'login for an application': (page, { shop }) => page.goto(shop.login),
  'login with a wrong password': async (page, { shop }) => {
    await page.goto(shop.login);
    await typeCredentials(page, { password: 'wrong' });
  },
  'login after too many attempts': async (page, { idp, shop }) => {
    await page.goto(shop.login);
    for (let attempts = 0; attempts <= idp.config.ATTEMPTS_PER_ACCOUNT; attempts += 1)
      await typeCredentials(page, { password: 'wrong' });
  },
  consent: async (page, { shop }) => {
    await page.goto(`${shop.login}?scope=openid+profile+email+offline_access`);
    await typeCredentials(page);
  },
  'consent with a warning': async (page, { idp, shop }) => {
    const native = await idp.addClient({
      client_name: 'A command line tool whose makers gave it a name that is rather long',
      application_type: 'native',
      token_endpoint_auth_method: 'none',
      redirect_uris: [`${shop.origin}/cb`],
    });
    await beSignedIn(page, idp);
    const query = new URLSearchParams({
      client_id: native.client.client_id,
      redirect_uri: `${shop.origin}/cb`,
      response_type: 'code',
      scope: 'openid profile email address phone',
      code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
      code_challenge_method: 'S256',
    });
    await page.goto(`${idp.issuer}/authorize?${query}`);
  },
  'consent for an application that registered itself': async (page, { idp, shop }) => {
    await beSignedIn(page, idp);
    await page.goto(await strangers(idp, shop, { response_type: 'code' }));
  },
  'error for an application that registered itself': async (page, { idp, shop }) =>
    page.goto(await strangers(idp, shop, { response_type: 'magic' })),
  'the same error as a form': async (page, { idp, shop }) =>
    page.goto(await strangers(idp, shop, { response_type: 'magic', response_mode: 'form_post' })),
  'account chooser': async (page, { idp, shop }) => {
    await beSignedIn(page, idp);
    await page.goto(`${shop.login}?prompt=select_account`);
  },
  logout: async (page, { idp }) => {
    await beSignedIn(page, idp);
    await page.goto(`${idp.issuer}/logout`);
  },
  'logout for an application': async (page, { idp, shop }) => {
    await beSignedIn(page, idp);
    await page.goto(`${idp.issuer}/logout?client_id=${shop.client.client.client_id}`);
  },
  'signed out': (page, { idp }) => page.goto(`${idp.issuer}/logout`),
  'signed out of an application': (page, { idp, shop }) =>
    page.goto(`${idp.issuer}/logout?client_id=${shop.client.client.client_id}`),
  'signed out, telling applications': async (page, { idp }) => {
    const blog = await startApp(idp, { name: 'Blog', frontchannel: true });
    await page.goto(blog.login);
    await typeCredentials(page);
    await page.goto(`${idp.issuer}/logout`);
    await follow(page, '#sign-out');
  },
  'error with details': (page, world) => page.goto(unregistered(world)),
  'error without details': async (page, world) => {
    await page.setExtraHTTPHeaders(fromAfar);
    await page.goto(unregistered(world));
  },
  'error codes': (page, { idp }) => page.goto(`${idp.issuer}/errors#invalid_grant`),
  'no such page': (page, { idp }) => page.goto(`${idp.issuer}/nothing/here`),
  'start page of a new server': (page, { idp }) => page.goto(idp.issuer),
  'start page, signed out': async (page, { idp }) => {
    await idp.addUser({ email: 'admin@example.com', roles: ['admin'] });
    await page.goto(idp.issuer);
  },
  'start page, signed in': async (page, { idp }) => {
    await beSignedIn(page, idp);
    await page.goto(idp.issuer);
  },
  'start page with applications': async (page, { idp }) => {
    const named = ['Wiki', 'An application whose makers gave it a name that is rather long, and then some'];
    for (const client_name of named)
      await idp.addClient({ client_name, initiate_login_uri: 'https://wiki.internal.example.com/start' });
    await beSignedIn(page, idp);
    await page.goto(idp.issuer);
  },
  'start page of an administrator': async (page, { idp }) => {
    await idp.addUser({ email: 'admin@example.com', roles: ['admin'], claims: { name: 'Grace Hopper' } });
    await beSignedIn(page, idp, 'admin@example.com');
    await page.goto(idp.issuer);
  },
  'confirm that it is you': async (page, { idp }) => {
    await beSignedIn(page, idp);
    idp.advance(301);
    await page.goto(`${idp.issuer}/confirm`);
  },
  'preview of the branding': async (page, { idp }) => {
    await idp.addUser({ email: 'admin@example.com', roles: ['admin'] });
    const links = { help_uri: 'https://acme.example/help', privacy_uri: 'https://acme.example/privacy' };
    await setBrand(idp.deps, { product_name: 'Acme', accent: '#7a1fa2', ...links }, idp.now());
    await beSignedIn(page, idp, 'admin@example.com');
    await page.goto(`${idp.issuer}/branding/preview`);
  },
  'login with other providers': async (page, { idp }) => {
    await addProvider(idp, { id: 'elsewhere', mail_domains: 'example.net' });
    await addProvider(idp, {
      id: 'corp',
      display_name: 'A company whose name is rather long, and then some',
    });
    await page.goto(`${idp.issuer}/login`);
  },
  'an answer of a provider that nobody asked for': async (page, { idp }) => {
    await addProvider(idp, { id: 'elsewhere' });
    await page.goto(`${idp.issuer}/upstream/elsewhere/callback?state=x&code=x`);
  },
  'somebody whom a provider sent': (page, { idp }) => comeFromElsewhere(page, idp),
  'connect an account': async (page, { idp }) => {
    await comeFromElsewhere(page, idp);
    await follow(page, '#sign-in');
    await typeCredentials(page);
  },
  'accounts at other providers': async (page, { idp }) => {
    await comeFromElsewhere(page, idp);
    await follow(page, '#sign-in');
    await typeCredentials(page);
    await follow(page, '#connect');
    await page.goto(`${idp.issuer}/account/providers`);
  },
  claim: async (page, { idp }) => page.goto((await offerClaim(idp.deps, idp.now())) ?? ''),
  'claim with an error': async (page, { idp }) => {
    await page.goto((await offerClaim(idp.deps, idp.now())) ?? '');
    await page.fill('#name', 'Ada Lovelace');
    await page.fill('#email', 'ada@example.com');
    await page.fill('#password', 'short');
    await follow(page, '#claim');
  },
  'forgotten password': (page, { idp }) => page.goto(`${idp.issuer}/forgot-password`),
  'check your mail': (page, { idp }) => page.goto(`${idp.issuer}/check-mail`),
  'new password': async (page, { idp }) => {
    await page.goto(`${idp.issuer}/forgot-password`);
    await page.fill('#email', 'ada@example.com');
    await follow(page, '#send');
    await page.goto(idp.issuer + (await linkIn(idp)));
  },
  'new account': (page, { idp }) => page.goto(`${idp.issuer}/register-account`),
  'new account, by its link, with an error': async (page, { idp }) => {
    await page.goto(`${idp.issuer}/register-account`);
    await page.fill('#email', 'grace@example.com');
    await follow(page, '#send');
    await page.goto(idp.issuer + (await linkIn(idp)));
    await page.fill('#name', 'Grace Hopper');
    await page.fill('#password', 'short');
    await follow(page, '#create');
  },
  'confirm a new address': async (page, { idp }) => {
    await beSignedIn(page, idp);
    await page.goto(`${idp.issuer}/account/email`);
    await page.fill('#email', 'countess@example.com');
    await follow(page, '#change');
    await page.goto(idp.issuer + (await linkIn(idp)));
  },
  'link that is not good any more': (page, { idp }) => page.goto(`${idp.issuer}/reset-password?token=x`),
  'mail for developers': async (page, { idp }) => {
    await queueNotice(idp);
    await page.goto(`${idp.issuer}/dev/mail`);
    await follow(page, '.items a');
  },
  'form post': async (page, { shop }) => {
    // As where the script is late: else the page is gone before anybody can look at it.
    await page.route('**/assets/form_post.js*', (route) =>
      route.fulfill({ contentType: 'text/javascript', body: '' }),
    );
    await page.goto(`${shop.login}?response_mode=form_post`);
    await typeCredentials(page);
    await follow(page, '#allow');
  },
} satisfies Record<string, Way>;

export type PageName = keyof typeof ways;
export const everyPage = Object.keys(ways) as PageName[]; // the keys of a constant table

/** Goes to a page of a server of its own. */
export async function goToPage(page: Page, name: PageName): Promise<void> {
  const idp = await startIdp({
    host: 'localhost',
    settings: {
      ATTEMPTS_PER_ACCOUNT: '3',
      USER_REGISTRATION: 'open',
      SECOND_FACTOR_ROLES: 'guarded',
      EMAIL_CODE: 'on',
      SECOND_FACTOR_GRACE_SECONDS: '86400',
    },
  });
  const ada = await idp.addUser();
  const shop = await startApp(idp, {
    name: 'Corner Shop',
    documents: true,
    metadata: { first_party: false },
  });
  await ways[name](page, { idp, shop, ada });
}
