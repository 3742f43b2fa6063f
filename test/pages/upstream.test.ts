/** Signing in with another provider, over real sockets, against this project's own server. Hardening rows 9, 10, 11, 13, 16, 33, 34. */
import { describe, expect, test } from 'vitest';
import * as federatedIdentities from '../../src/store/federated_identities.js';
import * as users from '../../src/store/users.js';
import { formOf } from '../support/browser.js';
import { engines } from '../support/database.js';
import { addApp, typeCode } from '../support/factors.js';
import { responseOf } from '../support/flow.js';
import { addProvider, visitUpstream } from '../support/identity_provider.js';
import { atOnce, eventsOf } from '../support/shop.js';
import {
  advanceBoth,
  byShop,
  press,
  sessionsOf,
  startLinked,
  startWorld,
  type World,
} from '../support/upstream.js';

describe.each(engines)('on %s', (engine) => {
  test('whoever is known comes in, and goes on to the application', async () => {
    const world = await startLinked({ here: { engine } });
    const { here, ada } = world;
    const page = await world.arrive(here.browser(), world.there.browser(), byShop);
    expect(responseOf(page)).toMatchObject({ code: expect.any(String), state: 's1' });
    const [session] = await sessionsOf(world);
    expect(session).toMatchObject({ user_id: ada.id, amr: 'fed', acr: 'urn:sallyport:acr:one-factor' });
    here.advance(7);
    await world.arrive();
    expect(await federatedIdentities.listByUser(here.db, ada.id)).toMatchObject([
      { last_used_at: here.now() },
    ]);
  });

  test('the same answer twenty times at once is one session, and no error', async () => {
    const world = await startLinked({ here: { engine } });
    const { browser, other } = world.browsers();
    const back = await visitUpstream(other, await world.press(browser));
    const pages = await atOnce(20, () => browser.request(back));
    expect(await sessionsOf(world)).toHaveLength(1);
    expect(pages.filter(({ status }) => status === 303)).toHaveLength(1);
    expect(new Set(pages.map(({ status }) => status))).toEqual(new Set([303, 400]));
  });

  test('an account is made for whom a trusted provider vouches for, once, though they come twenty times at once', async () => {
    const world = await startWorld({ here: { engine }, trust_email_verified: 1, registration: 1 });
    const { here, there } = world;
    const other = there.browser();
    await visitUpstream(other, await press(here.browser())); // signed in there
    const visits = await atOnce(20, async () => {
      const browser = here.browser();
      return { browser, back: await visitUpstream(other, await press(browser)) };
    });
    const pages = await Promise.all(visits.map(({ browser, back }) => browser.request(back)));
    expect(pages.map(({ status }) => status)).toEqual(pages.map(() => 303));
    const made = await users.findByEmail(here.db, 'ada@elsewhere.example');
    expect(made).toMatchObject({ name: 'Ada L.', email_verified: 1, roles: '' });
    expect(await federatedIdentities.listByUser(here.db, made?.id ?? '')).toHaveLength(1);
    expect(await eventsOf(here, 'identity_linked')).toMatchObject([
      { user_id: made?.id, detail: 'elsewhere' },
    ]);
    expect(await sessionsOf(world)).toHaveLength(20);
  });
});

describe('a second factor', () => {
  test('is asked of whoever has one, and the session comes only then', async () => {
    const world = await startLinked();
    const { here, ada } = world;
    const app = await addApp(here, ada.id);
    const browser = here.browser();
    const page = await world.arrive(browser, world.there.browser(), byShop);
    expect(page.url).toContain('/factor');
    expect(await sessionsOf(world)).toEqual([]);
    expect(responseOf(await typeCode(browser, page, app.code()))).toMatchObject({ code: expect.any(String) });
    expect(await sessionsOf(world)).toMatchObject([{ amr: expect.stringMatching(/^fed .*mfa/) }]);
  });

  test.each([
    [1, 'urn:sallyport:acr:one-factor', 'fed mfa'],
    [0, 'urn:sallyport:acr:one-factor', undefined],
    [1, 'urn:other', undefined],
  ])(
    'counts where the provider is trusted for it (%i) and says it (%s)',
    async (trust_mfa, mfa_acr_values, amr) => {
      const world = await startLinked({ trust_mfa, mfa_acr_values });
      await addApp(world.here, world.ada.id);
      await world.arrive();
      expect((await sessionsOf(world))[0]?.amr).toBe(amr);
    },
  );
});

describe('an answer signs nobody in', () => {
  type Attack = (
    world: World,
    back: string,
    browser: ReturnType<World['browsers']>['browser'],
  ) => Promise<string>;
  const changed =
    (change: (url: URL) => unknown): Attack =>
    async (_, back) => {
      const url = new URL(back);
      change(url);
      return url.href;
    };

  const doing =
    (something: (world: World) => unknown): Attack =>
    async (world, back) => {
      await something(world);
      return back;
    };

  test.each<[string, Attack, number]>([
    ['without a state', changed((url) => url.searchParams.delete('state')), 400],
    ['with a state that nobody made', changed((url) => url.searchParams.set('state', 'x')), 400],
    ['without a code', changed((url) => url.searchParams.delete('code')), 400],
    ['with another code', changed((url) => url.searchParams.set('code', 'x')), 400],
    ['with two codes', changed((url) => url.searchParams.append('code', 'x')), 400],
    ['with two states', changed((url) => url.searchParams.append('state', 'x')), 400],
    [
      'that names another issuer (hardening 34)',
      changed((url) => url.searchParams.set('iss', 'https://evil.example')),
      400,
    ],
    ['that names none (hardening 34)', changed((url) => url.searchParams.delete('iss')), 400],
    [
      'that comes to the address of another provider: a mix-up',
      changed((url) => Object.assign(url, { pathname: '/upstream/second/callback' })),
      400,
    ],
    [
      'that comes to a provider that there is not',
      changed((url) => Object.assign(url, { pathname: '/upstream/third/callback' })),
      404,
    ],
    ['fifteen minutes later', doing((world) => advanceBoth(world, 900)), 400],
    ['while the provider is down', doing(({ there }) => there.deps.db.close()), 503],
  ])('%s', async (_, attack, status) => {
    const world = await startLinked();
    await addProvider(world.here, { id: 'second', issuer: 'https://second.example' });
    const { browser, other } = world.browsers();
    const back = await visitUpstream(other, await world.press(browser, byShop));
    const page = await browser.get(await attack(world, back, browser));
    expect(page.status).toBe(status);
    expect(page.html).toContain('<h1>');
    expect(await sessionsOf(world)).toEqual([]);
    expect(browser.cookies.has('sallyport_session')).toBe(false);
  });

  test('in another browser than the one that set out: nobody is signed in to somebody else’s account (hardening 9)', async () => {
    const world = await startLinked();
    const { browser, other } = world.browsers();
    const back = await visitUpstream(other, await world.press(browser));
    const victim = world.here.browser();
    await victim.get('/login');
    const page = await victim.get(back);
    expect([page.status, victim.cookies.has('sallyport_session')]).toEqual([400, false]);
    expect(page.html).toContain('This sign-in was not begun in this browser');
    expect((await browser.get(back)).status).toBe(200);
  });

  test('a second time; who is signed in by then is led on, with no new session (Back, or a reload)', async () => {
    const world = await startLinked();
    const { browser, other } = world.browsers();
    const back = await visitUpstream(other, await world.press(browser, byShop));
    expect(responseOf(await browser.get(back))).toMatchObject({ code: expect.any(String) });
    const session = browser.cookies.get('sallyport_session');
    expect(responseOf(await browser.get(back))).toMatchObject({ code: expect.any(String) });
    expect(browser.cookies.get('sallyport_session')).toBe(session);
    browser.cookies.delete('sallyport_session');
    expect((await browser.get(back)).status).toBe(400);
    expect(await sessionsOf(world)).toHaveLength(1);
  });

  test.each([
    ['access_denied', 400, 'because you said no at Elsewhere'],
    ['temporarily_unavailable', 503, 'Elsewhere cannot be reached'],
    ['invalid_scope', 400, 'did not sign you in'],
    ['<script>alert(1)</script>', 400, 'did not sign you in'],
  ])('that says %s, and a page says how to go on', async (error, status, sentence) => {
    const world = await startLinked();
    const { browser } = world.browsers();
    const state = new URL(await world.press(browser, byShop)).searchParams.get('state') ?? '';
    const query = new URLSearchParams({ error, state, iss: world.there.issuer });
    const page = await browser.get(`/upstream/elsewhere/callback?${query}`);
    expect([page.status, page.html.includes(sentence), page.html.includes('<script>alert')]).toEqual([
      status,
      true,
      false,
    ]);
    const retry = /href="([^"]*)">Try again/.exec(page.html)?.[1] ?? '';
    expect((await browser.get(retry)).html).toContain('Sign in to continue to <bdi>Shop</bdi>');
    expect(JSON.stringify(world.here.logged)).not.toContain(state);
  });
});

describe('the login page', () => {
  test('has a button for each provider that is in use, and none of others', async () => {
    const world = await startWorld();
    await addProvider(world.here, { id: 'off', display_name: 'Off', disabled_at: 1 });
    const { html } = await world.here.browser().get('/login');
    expect(html).toContain('Continue with <bdi>Elsewhere</bdi>');
    expect(html).not.toContain('<bdi>Off</bdi>');
  });

  test.each([
    ['an address of its, known here or not', { email: 'Nobody@Corp.Example' }, true],
    [
      'the same with a password: that is meant for here',
      { email: 'nobody@corp.example', password: 'x' },
      false,
    ],
    ['an address of another domain', { email: 'nobody@other.example' }, false],
    ['a domain that only ends like it', { email: 'nobody@evilcorp.example' }, false],
    ['what is no address', { email: 'corp.example' }, false],
  ])('sends %s to a provider by its domain alone (hardening 16)', async (_, typed, sent) => {
    const world = await startWorld({ mail_domains: 'example.net corp.example' });
    const browser = world.here.browser();
    const { action, hidden } = formOf((await browser.get('/login')).html);
    const page = await browser.post(action, { ...hidden, ...typed, action: 'sign_in' });
    const location = page.headers.get('location') ?? '';
    expect([page.status === 303, location.startsWith(`${world.there.issuer}/authorize`)]).toEqual([
      sent,
      sent,
    ]);
    if (sent) expect(new URL(location).searchParams.get('login_hint')).toBe(typed.email);
  });

  test('asks the provider for a new sign-in where the application does (prompt=login, max_age)', async () => {
    const world = await startLinked();
    const { browser, other } = world.browsers();
    await world.arrive(browser, other, byShop);
    advanceBoth(world, 100);
    const location = await world.press(browser, `${byShop}&prompt=login`);
    expect(new URL(location).searchParams.get('prompt')).toBe('login');
    expect(responseOf(await browser.get(await visitUpstream(other, location)))).toMatchObject({
      code: expect.any(String),
    });
  });

  test('says so where a provider cannot be found, and stays in use', async () => {
    const world = await startWorld();
    await addProvider(world.here, { id: 'dead', display_name: 'Dead', issuer: 'http://127.0.0.1:9' });
    const browser = world.here.browser();
    const { action, hidden } = formOf((await browser.get('/login')).html);
    const page = await browser.post(action, { ...hidden, provider: 'dead' });
    expect([page.status, page.html.includes('Dead cannot be reached')]).toEqual([503, true]);
    const other = await browser.post(action, { ...hidden, provider: 'none' });
    expect([other.status, other.html.includes('There is no such way to sign in here any more.')]).toEqual([
      404,
      true,
    ]);
  });
});
