/** People whom another provider sends, and whom nobody here knows: asked who they are, never guessed. Hardening rows 9, 10, 11. */
import { describe, expect, test } from 'vitest';
import { updateProvider } from '../../src/actions/identity_providers.js';
import { disableUser } from '../../src/actions/users.js';
import * as federatedIdentities from '../../src/store/federated_identities.js';
import { statement } from '../../src/store/statement.js';
import * as users from '../../src/store/users.js';
import { formOf } from '../support/browser.js';
import { addApp, typeCode } from '../support/factors.js';
import { responseOf, signIn } from '../support/flow.js';
import { linkIn } from '../support/mails.js';
import { advanceBoth, byShop, sessionsOf, startLinked, startWorld, type World } from '../support/upstream.js';

describe('whoever is unknown', () => {
  test('signs in here first, is asked, and comes in by the provider from then on', async () => {
    const world = await startWorld();
    const { here, ada } = world;
    const { browser, other } = world.browsers();
    const page = await world.arrive(browser, other, byShop);
    expect(page.url).toContain('/upstream/connect');
    expect(page.html).toContain('Your Elsewhere account is not connected yet');
    const href = /id="sign-in" href="([^"]*)"/.exec(page.html)?.[1] ?? '';
    const login = await browser.get(href);
    expect(login.html).toContain('whether to connect ada@elsewhere.example at Elsewhere');
    const asked = await signIn(browser, login);
    expect(asked.html).toContain('Connect your Elsewhere account?');
    expect(asked.html).toContain('ada@example.com');
    expect(await federatedIdentities.listByUser(here.db, ada.id)).toEqual([]);
    const done = await browser.submit(asked, { action: 'connect' });
    expect(responseOf(done)).toMatchObject({ code: expect.any(String) });
    expect(browser.cookies.has('sallyport_connection')).toBe(false);
    expect(await federatedIdentities.listByUser(here.db, ada.id)).toMatchObject([
      { provider_id: 'elsewhere', subject: world.person.id, label: 'ada@elsewhere.example' },
    ]);
    const again = await world.arrive(here.browser(), other, byShop);
    expect(responseOf(again)).toMatchObject({ code: expect.any(String) });
  });

  test('is asked after every factor, and not before', async () => {
    const world = await startWorld();
    const { here, ada } = world;
    const app = await addApp(here, ada.id);
    const { browser, other } = world.browsers();
    await world.arrive(browser, other);
    const factor = await signIn(browser, await browser.get('/login'));
    expect((await browser.get('/upstream/connect')).html).not.toContain('id="connect"');
    expect((await typeCode(browser, factor, app.code())).html).toContain('Connect your Elsewhere account?');
  });

  test('is not connected where they say no', async () => {
    const world = await startWorld();
    const { browser, other } = world.browsers();
    await world.arrive(browser, other);
    const asked = await signIn(browser, await browser.get('/login'));
    await browser.submit(asked, { action: 'cancel' });
    expect(await federatedIdentities.listByUser(world.here.db, world.ada.id)).toEqual([]);
    expect((await browser.get('/upstream/connect')).url).not.toContain('connect');
  });

  test.each([
    ['nobody has the address', 'ada@elsewhere.example', {}],
    ['somebody has it, and the provider is not trusted', 'ada@example.com', {}],
    [
      'the provider is trusted, and does not say it',
      'ada@example.com',
      { trust_email_verified: 1, unverified: true },
    ],
    ['accounts are made, and the provider is not trusted', 'ada@elsewhere.example', { registration: 1 }],
    [
      'accounts are made, and the provider does not say it',
      'new@elsewhere.example',
      { registration: 1, trust_email_verified: 1, unverified: true },
    ],
  ])(
    'is told the same, and nothing is linked or made, where %s (hardening 10, 11, 16)',
    async (_, email, options) => {
      const { unverified, ...columns } = options as { unverified?: boolean };
      const world = await startWorld({
        ...columns,
        user: { email: 'ada@elsewhere.example', email_verified: !unverified },
      });
      await world.there.db.transaction(async (trx) => {
        await trx.run(
          statement<{ email: string }>((sql, value) => sql('users').update({ email: value.email })),
          { email },
        );
      });
      const page = await world.arrive();
      expect(page.html).toContain('Nobody here is connected to your account at');
      expect(await sessionsOf(world)).toEqual([]);
      expect((await users.list(world.here.db, '')).map((user) => user.email)).toEqual(['ada@example.com']);
    },
  );

  test('makes an account by a mail where the provider lets them, and is asked then', async () => {
    const world = await startWorld({ registration: 1 });
    const { here } = world;
    const { browser, other } = world.browsers();
    const page = await world.arrive(browser, other, byShop);
    await browser.submit(page, { action: 'register' });
    expect(await users.list(here.db, '')).toHaveLength(1);
    advanceBoth(world, 1500);
    const form = await browser.get(await linkIn(here));
    const asked = await browser.submit(form, { name: 'Ada', password: 'glacier-turnip-accordion-mild' });
    expect(asked.html).toContain('Connect your Elsewhere account?');
    expect(responseOf(await browser.submit(asked, { action: 'connect' }))).toMatchObject({
      code: expect.any(String),
    });
    const made = await users.findByEmail(here.db, 'ada@elsewhere.example');
    expect(await federatedIdentities.listByUser(here.db, made?.id ?? '')).toHaveLength(1);
  });

  test('makes none where it does not, nor by a link of a provider that is closed again', async () => {
    const closed = await startWorld();
    const one = closed.here.browser();
    const page = await closed.arrive(one);
    expect(page.html).not.toContain('id="register"');
    expect((await one.submit(page, { action: 'register' })).status).toBe(403);
    const { here, ...world } = await startWorld({ registration: 1 });
    const two = here.browser();
    await two.submit(await world.arrive(two), { action: 'register' });
    const link = await linkIn(here);
    await updateProvider(here.deps, 'elsewhere', { registration: false }, here.now());
    expect((await two.get(link)).status).toBe(404);
  });

  test('whose verified address has an account here proves that very account, and no other will do (hardening 10)', async () => {
    const world = await startWorld({ trust_email_verified: 1, registration: 1 });
    const { here } = world;
    const owner = await here.addUser({ email: 'Ada@Elsewhere.example' });
    await here.addUser({ email: 'bob@example.com' });
    const { browser, other } = world.browsers();
    const page = await world.arrive(browser, other);
    expect(page.html).toContain('You have an account here with the address');
    const asBob = await signIn(browser, await browser.get('/login'), { email: 'bob@example.com' });
    expect(asBob.html).not.toContain('id="connect"');
    const { action, hidden } = formOf(asBob.html);
    const forced = await browser.post(action, { ...hidden, action: 'connect' });
    expect([forced.status, forced.html.includes('Please sign in again before you connect')]).toEqual([
      403,
      true,
    ]);
    const asOwner = await signIn(browser, await browser.get('/login'), { email: 'ada@elsewhere.example' });
    await browser.submit(asOwner, { action: 'connect' });
    expect(await federatedIdentities.listByUser(here.db, owner.id)).toHaveLength(1);
  });

  test('who is disabled here is told, and comes in by nothing', async () => {
    const world = await startLinked();
    await disableUser(world.here.deps, world.ada.id, world.here.now());
    const page = await world.arrive();
    expect([page.status, page.html.includes('This account cannot sign in at present.')]).toEqual([403, true]);
    expect(await sessionsOf(world)).toEqual([]);
  });
});

describe('a proof that waits in the browser', () => {
  const cookie = 'sallyport_connection';
  test.each([
    ['in another browser', () => {}],
    ['ten minutes later', (world: World) => advanceBoth(world, 600)],
  ])('is nothing %s', async (what, change) => {
    const world = await startWorld();
    const { browser, other } = world.browsers();
    await world.arrive(browser, other);
    change(world);
    const thief = what.includes('another') ? world.here.browser() : browser;
    await thief.get('/login');
    thief.cookies.set(cookie, browser.cookies.get(cookie) ?? '');
    const page = await signIn(thief, await thief.get('/login'));
    expect(page.html).not.toContain('id="connect"');
    expect(thief.cookies.has(cookie)).toBe(false);
    expect(page.status).toBe(200);
  });

  test('does not count for whoever had signed in before it came: a session that was left open proves nothing', async () => {
    const world = await startWorld();
    const { browser, other } = world.browsers();
    await signIn(browser, await browser.get('/login'));
    world.here.advance(1);
    const page = await world.arrive(browser, other);
    const { action, hidden } = formOf(page.html);
    expect((await browser.post(action, { ...hidden, action: 'connect' })).status).toBe(403);
    expect(await federatedIdentities.listByUser(world.here.db, world.ada.id)).toEqual([]);
  });
});
