/** Getting past the second factor of somebody whose password, and whose browser, one has. Hardening rows 9, 13 and 14. */
import { describe, expect, test } from 'vitest';
import * as passkeys from '../../src/store/passkeys.js';
import * as secondFactors from '../../src/store/second_factors.js';
import * as sessions from '../../src/store/sessions.js';
import { change } from '../support/account.js';
import { Authenticator } from '../support/authenticator.js';
import { ask, headingOf, signedInBrowser } from '../support/authorize.js';
import type { Browser } from '../support/browser.js';
import { engines } from '../support/database.js';
import {
  addApp,
  addRecoveryCodes,
  codeOnPage,
  proveFactors,
  toFactor,
  typeCode,
  wrongCode,
} from '../support/factors.js';
import { responseOf, signIn } from '../support/flow.js';
import { startIdp } from '../support/idp.js';
import { givePasskey, passkeyFormOf, postPasskey } from '../support/passkeys.js';

const two_factors = 'urn:sallyport:acr:two-factor';
const asks = 'Confirm that it is you';

/** Somebody with an app, and a browser that is spared it, in which another typed the password. */
async function spared(engine?: 'sqlite' | 'postgres') {
  const idp = await startIdp({ host: 'localhost', ...(engine && { engine }) });
  const user = await idp.addUser();
  const app = await addApp(idp, user.id);
  await idp.addClient({}, 'shop');
  const { browser, page } = await toFactor(idp);
  await browser.submit(page, { code: app.code(), remember: 'yes', action: 'continue' });
  browser.cookies.delete('sallyport_session');
  idp.advance(3600);
  expect(headingOf(await signIn(browser, await browser.get('/login')))).toBe('You are signed in');
  return { idp, user, app, browser };
}

/** What an application gets that demands two factors. */
async function demanding(browser: Browser): Promise<string> {
  const page = await ask(browser, 'shop', { acr_values: two_factors });
  return page.status === 303 ? Object.keys(responseOf(page)).join(' ') : headingOf(page);
}

describe.each(engines)(
  'somebody with the password, in a browser that is spared the factor, on %s',
  (engine) => {
    test('adds no factor of their own, to get by it what asks for two, and does not lock the owner out', async () => {
      const { idp, user, app, browser } = await spared(engine);
      await addRecoveryCodes(idp, user.id);
      expect(await demanding(browser)).toBe(asks);
      for (const path of [
        '/security/app',
        '/security/codes',
        '/passkeys/add',
        '/email',
        '/password',
        '/delete',
        `/security/remove?id=${app.id}`,
      ])
        expect([path, headingOf(await browser.get(`/account${path}`))]).toEqual([path, asks]);
      for (const [path, fields] of [
        ['/security/app', { sealed: 'x', code: '123456' }],
        ['/security/codes', { action: 'keep' }],
        ['/security/remove', { id: app.id }],
        ['/email', { email: 'mine@attacker.example' }],
        ['/password', { password: 'four words of no kin', action: 'save' }],
        ['/delete', { typed: 'ada@example.com', action: 'delete' }],
        ['/providers', { action: 'connect', provider: 'x' }],
      ] as const)
        expect([path, headingOf(await change(browser, `/account${path}`, fields))]).toEqual([path, asks]);
      expect(await secondFactors.list(idp.db, user.id)).toMatchObject([{ id: app.id }]);
      expect(await demanding(browser)).toBe(asks);
      const owner = idp.browser();
      expect(headingOf(await signIn(owner, await owner.get('/login')))).toBe(asks); // by the password they know
    });

    test('removes no passkey', async () => {
      const { idp, user, browser } = await spared(engine);
      const { row } = await givePasskey(idp, user);
      const answer = await change(browser, '/account/passkeys/edit', { id: row.id, action: 'remove' });
      expect([headingOf(answer), (await passkeys.list(idp.db, user.id)).length]).toEqual([asks, 1]);
    });
  },
);

describe('the owner, in a browser that is spared the factor,', () => {
  test('proves it once, in this session, and comes to the page that they wanted', async () => {
    const { idp, user, app, browser } = await spared();
    const page = await browser.get('/account/security/app');
    expect((await typeCode(browser, page, wrongCode(app))).status).toBe(400);
    const cookie = browser.cookies.get('sallyport_session');
    expect(headingOf(await typeCode(browser, page, app.code()))).toBe('Set up an authenticator app');
    expect(browser.cookies.get('sallyport_session')).not.toBe(cookie);
    const proofs = (await sessions.listByUser(idp.db, user.id, idp.now())).map((row) => [
      row.amr,
      row.proven_at,
    ]);
    expect(proofs).toContainEqual(['pwd otp mfa', idp.now()]);
    expect((await browser.request('/factor?to=/account/security')).headers.get('location')).toBe(
      '/account/security',
    );
  });

  test('proves it by a passkey, after a password that is an hour old', async () => {
    const { idp, user, browser } = await spared();
    const { authenticator } = await givePasskey(idp, user);
    idp.advance(3600);
    const form = passkeyFormOf((await browser.get('/account/passkeys/add')).html);
    const done = await postPasskey(browser, form, authenticator.get(form.options));
    expect(done.headers.get('location')).toBe('/account/passkeys/add');
    expect(headingOf(await browser.get('/account/passkeys/add'))).toBe('Add a passkey');
  });

  test('gives up, and is back in the account', async () => {
    const { browser } = await spared();
    const page = await browser.get('/account/security/codes');
    expect(headingOf(await browser.submit(page, { action: 'cancel' }))).toBe('Second factors');
  });

  test.each(['https://evil.example/', '//evil.example', '/login', '/account/../x', 'javascript:alert(1)'])(
    'is not led to %s by a link that somebody sent',
    async (to) => {
      const { app, browser } = await spared();
      const page = await browser.get(`/factor?${new URLSearchParams({ to })}`);
      expect(headingOf(page)).toBe(asks);
      expect(headingOf(await typeCode(browser, page, app.code()))).toBe('You are signed in');
    },
  );
});

test('whoever has begun to sign in as another in this browser proves the factor of the session, not theirs', async () => {
  const { idp, user, app, browser } = await spared();
  const eve = await idp.addUser({ email: 'eve@example.com' });
  const hers = await addApp(idp, eve.id);
  await signIn(browser, await browser.get('/login'), { email: 'eve@example.com' });
  const page = await browser.get('/account/security/app');
  expect(page.html).toContain('ada@example.com');
  expect((await typeCode(browser, page, hers.code())).status).toBe(400);
  expect(headingOf(await typeCode(browser, page, app.code()))).toBe('Set up an authenticator app');
  expect(await sessions.listByUser(idp.db, eve.id, idp.now())).toEqual([]);
  expect(await secondFactors.list(idp.db, user.id)).toHaveLength(1);
});

test('of two who know the password and set up the first factor at the same moment one does', async () => {
  const idp = await startIdp({ settings: { SECOND_FACTOR: 'required' } });
  const user = await idp.addUser();
  const both = await Promise.all([toFactor(idp), toFactor(idp)]);
  await Promise.all(
    both.map(({ browser, page }) => browser.submit(page, { code: codeOnPage(page, idp.now()), name: '' })),
  );
  expect(await secondFactors.list(idp.db, user.id)).toHaveLength(1);
  expect(await sessions.listByUser(idp.db, user.id, idp.now())).toHaveLength(1);
});

test.each(engines)(
  'nor do two who came in by the password alone, each in the account, on %s',
  async (engine) => {
    const idp = await startIdp({ engine });
    const user = await idp.addUser();
    const browsers = await Promise.all([signedInBrowser(idp), signedInBrowser(idp)]);
    const forms = await Promise.all(browsers.map((browser) => browser.get('/account/security/app')));
    const answers = await Promise.all(
      forms.map((page, i) => browsers[i]?.submit(page, { code: codeOnPage(page, idp.now()), name: '' })),
    );
    expect(answers.map((answer) => answer?.status).sort()).toEqual([200, 403]);
    expect(await secondFactors.list(idp.db, user.id)).toHaveLength(1);
  },
);

test('nobody has so many apps that a sign-in takes long: twenty', async () => {
  const idp = await startIdp();
  const user = await idp.addUser();
  const browser = await signedInBrowser(idp);
  for (let count = 0; count < 19; count += 1) await addApp(idp, user.id);
  await proveFactors(idp, user.id);
  const pages = [await browser.get('/account/security/app'), await browser.get('/account/security/app')];
  for (const page of pages) await browser.submit(page, { code: codeOnPage(page, idp.now()) });
  expect(await secondFactors.list(idp.db, user.id)).toHaveLength(20);
});

test('a form for a first passkey, kept open, adds none beside the factor that the owner set up meanwhile', async () => {
  const idp = await startIdp({ host: 'localhost', settings: { SECOND_FACTOR_ROLES: 'x' } });
  const user = await idp.addUser();
  const browser = await signedInBrowser(idp);
  const form = passkeyFormOf((await browser.get('/account/passkeys/add')).html);
  await addApp(idp, user.id);
  const theirs = new Authenticator({ origin: idp.issuer });
  await postPasskey(browser, form, theirs.create(form.options));
  expect(await passkeys.list(idp.db, user.id)).toEqual([]);

  const strict = await idp.addUser({ email: 'strict@example.com', roles: ['x'] });
  const both = [await toFactor(idp, '/login', strict.email), await toFactor(idp, '/login', strict.email)];
  await Promise.all(
    both.map(({ browser: one, page }) => {
      const asked = passkeyFormOf(page.html);
      return postPasskey(one, asked, new Authenticator({ origin: idp.issuer }).create(asked.options));
    }),
  );
  expect(await passkeys.list(idp.db, strict.id)).toHaveLength(1);
});
