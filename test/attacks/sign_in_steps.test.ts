/**
 * Whatever is sent in whatever order, there is no session without the factors that the policy demands (hardening row 13): sequences of
 * requests at random over the real server, and each step with each kind of wrong input.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as sessions from '../../src/store/sessions.js';
import { type Browser, formOf, type Page } from '../support/browser.js';
import { type App, addApp, addRecoveryCodes, codeOnPage, wrongCode } from '../support/factors.js';
import { password, startIdp, type TestIdp } from '../support/idp.js';

const people = ['ada@example.com', 'bob@example.com'] as const; // Ada has a factor, Bob has to set one up

interface World {
  readonly idp: TestIdp;
  readonly ids: Readonly<Record<(typeof people)[number], string>>;
  readonly app: App;
}

async function start(EMAIL_CODE: 'off' | 'on' = 'off'): Promise<World> {
  const idp = await startIdp({ settings: { SECOND_FACTOR_ROLES: 'guarded', EMAIL_CODE } });
  const ada = await idp.addUser({ email: people[0] });
  const bob = await idp.addUser({ email: people[1], roles: ['guarded'] });
  return {
    idp,
    ids: { [people[0]]: ada.id, [people[1]]: bob.id } as World['ids'],
    app: await addApp(idp, ada.id),
  };
}

/** Sessions of anybody that hold less than two factors. */
async function weak({ idp, ids }: World) {
  const all = await Promise.all(people.map((email) => sessions.listByUser(idp.db, ids[email], idp.now())));
  return all.flat().filter(({ amr }) => !amr.split(' ').includes('mfa'));
}

interface Tab {
  readonly browser: Browser;
  page: Page;
}

const paths = [
  '/login',
  '/factor',
  '/enrol',
  '/confirm',
  '/',
  '/account',
  '/account/security/app',
  '/account/security/codes',
];

/** One thing that somebody who knows both passwords, and no second factor, can do. */
const step = fc.oneof(
  fc.record({ kind: fc.constant('open' as const), path: fc.constantFrom(...paths) }),
  fc.record({
    kind: fc.constant('password' as const),
    email: fc.constantFrom(...people),
    right: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant('post' as const),
    path: fc.constantFrom('/factor', '/enrol', '/confirm', '/account/security/codes'),
    fields: fc.record(
      {
        action: fc.constantFrom('continue', 'send', 'later', 'add', 'keep', 'restart', ''),
        way: fc.constantFrom('totp', 'recovery_code', 'passkey', 'email_code', 'none', ''),
        code: fc.constantFrom('', '000000', '00000-00000', 'x'),
        remember: fc.constant('yes'),
        sealed: fc.constantFrom('', 'a.b'),
        password: fc.constant(password),
      },
      { requiredKeys: [] },
    ),
  }),
  fc.record({
    kind: fc.constant('cookie' as const),
    name: fc.constantFrom('sign_in', 'remembered', 'session', 'browser'),
  }),
  fc.record({ kind: fc.constant('wait' as const), seconds: fc.constantFrom(1, 299, 600) }),
);

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

async function take(idp: TestIdp, tabs: readonly [Tab, Tab], at: number, taken: Step): Promise<void> {
  const tab = at % 3 === 0 ? tabs[1] : tabs[0];
  const other = tab === tabs[0] ? tabs[1] : tabs[0];
  const { browser } = tab;
  if (taken.kind === 'wait') idp.advance(taken.seconds);
  else if (taken.kind === 'open') tab.page = await browser.get(taken.path);
  else if (taken.kind === 'cookie') {
    const name = `sallyport_${taken.name}`;
    const value = other.browser.cookies.get(name);
    if (value === undefined) browser.cookies.delete(name);
    else browser.cookies.set(name, value); // as a thief has it
  } else if (taken.kind === 'password') {
    tab.page = await browser.get('/login');
    const typed = { email: taken.email, password: taken.right ? password : 'wrong', action: 'sign_in' };
    if (tab.page.html.includes('name="password"')) tab.page = await browser.submit(tab.page, typed);
  } else {
    const hidden = tab.page.html.includes('<form') ? formOf(tab.page.html).hidden : {};
    tab.page = await browser.post(taken.path, { ...hidden, ...taken.fields });
  }
}

test.each(['off', 'on'] as const)(
  'no sequence of requests yields a session without the factors that are demanded, with codes by mail %s',
  async (codes) => {
    const world = await start(codes);
    const { idp } = world;
    const runs = fc.array(step, { minLength: 2, maxLength: 10 });
    await fc.assert(
      fc.asyncProperty(runs, async (steps) => {
        idp.advance(86_400); // attempts of the run before are forgotten
        const tabs = [0, 1].map(() => ({ browser: idp.browser(), page: { html: '' } as Page }));
        const [first, second] = tabs as [Tab, Tab];
        for (const [at, taken] of steps.entries()) await take(idp, [first, second], at, taken);
        expect(await weak(world)).toEqual([]);
      }),
      { numRuns: 25 },
    );
  },
  60_000,
);

/** Each step, as it would be right: what comes before it, and what it posts. */
const steps = {
  factor: async ({ idp, app, ids }: World) => {
    await addRecoveryCodes(idp, ids[people[0]]);
    return {
      email: people[0],
      path: '/factor',
      right: () => ({ way: 'totp', code: app.code(), action: 'continue' }),
    };
  },
  enrol: async ({ idp }: World) => ({
    email: people[1],
    path: '/enrol',
    right: (page: Page) => ({ code: codeOnPage(page, idp.now()), action: 'add' }),
  }),
} as const;

async function begun(world: World, email: string): Promise<Tab> {
  const browser = world.idp.browser();
  const login = await browser.get('/login');
  return { browser, page: await browser.submit(login, { email, password, action: 'sign_in' }) };
}

describe.each(Object.entries(steps))('the step %s', (_, prepare) => {
  async function at() {
    const world = await start();
    const { email, path, right } = await prepare(world);
    const tab = await begun(world, email);
    const fields = () => ({ ...formOf(tab.page.html).hidden, ...right(tab.page) });
    const living = () => sessions.listByUser(world.idp.db, world.ids[email], world.idp.now());
    return { world, tab, email, path, fields, living };
  }

  test('with the right input gives a session', async () => {
    const { tab, path, fields, living } = await at();
    await tab.browser.post(path, fields());
    expect(await living()).toHaveLength(1);
  });

  test.each<
    [string, (fields: Record<string, string>) => Record<string, string | readonly string[] | undefined>]
  >([
    ['nothing', () => ({})],
    ['a missing code', (fields) => ({ ...fields, code: undefined })],
    ['an empty code', (fields) => ({ ...fields, code: '' })],
    ['a repeated code', (fields) => ({ ...fields, code: [fields.code ?? '', fields.code ?? ''] })],
    ['a missing token', (fields) => ({ ...fields, csrf: undefined })],
    ['an empty token', (fields) => ({ ...fields, csrf: '' })],
    ['a wrong code', (fields) => ({ ...fields, code: 'x00000' })],
  ])('with %s gives none, and no fault', async (_what, change) => {
    const { tab, path, fields, living } = await at();
    const answer = await tab.browser.post(path, change(fields()));
    expect(answer.status).toBeLessThan(500);
    expect(await living()).toEqual([]);
  });

  test('replayed gives one session, not two', async () => {
    const { tab, path, fields, living } = await at();
    const sent = fields();
    const cookies = new Map(tab.browser.cookies);
    await tab.browser.post(path, sent);
    for (const [name, value] of cookies) tab.browser.cookies.set(name, value);
    tab.browser.cookies.delete('sallyport_session');
    await tab.browser.post(path, sent);
    expect(await living()).toHaveLength(1);
  });

  test('sent by another person’s browser gives none', async () => {
    const { world, tab, email, path, fields, living } = await at();
    const other = await begun(world, email === people[0] ? people[1] : people[0]);
    await other.browser.post(path, fields());
    tab.browser.cookies.delete('sallyport_sign_in');
    await tab.browser.post(path, fields());
    expect(await living()).toEqual([]);
    expect(await weak(world)).toEqual([]);
  });

  test('that has expired gives none', async () => {
    const { world, tab, path, fields, living } = await at();
    world.idp.advance(600);
    await tab.browser.post(path, fields());
    expect(await living()).toEqual([]);
  });
});

test('a wrong code is wrong in every step', async () => {
  const world = await start();
  const tab = await begun(world, people[0]);
  expect(
    (await tab.browser.submit(tab.page, { code: wrongCode(world.app), action: 'continue' })).status,
  ).toBe(400);
});
