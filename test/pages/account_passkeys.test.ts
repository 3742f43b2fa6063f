/** One's own passkeys: /account/passkeys. WebAuthn §7.1; hardening rows 9, 13, 26 and 33. */
import { describe, expect, test } from 'vitest';
import * as credentials from '../../src/store/credentials.js';
import * as passkeys from '../../src/store/passkeys.js';
import * as sessions from '../../src/store/sessions.js';
import { Authenticator, type Changes } from '../support/authenticator.js';
import type { Browser } from '../support/browser.js';
import { engines } from '../support/database.js';
import { addRecoveryCodes, proveFactors } from '../support/factors.js';
import { signIn } from '../support/flow.js';
import { type Form, formBody, type IdpOptions, startIdp, type TestIdp } from '../support/idp.js';
import { mailRows } from '../support/mails.js';
import { codesIn, givePasskey, passkeyFormOf, postPasskey } from '../support/passkeys.js';
import { eventsOf } from '../support/shop.js';

async function start(options: IdpOptions = {}) {
  const settings = { SMTP_URL: 'smtp://127.0.0.1:9', MAIL_FROM: 'id@example.com' };
  const idp = await startIdp({ host: 'localhost', settings, ...options });
  const ada = await idp.addUser();
  const browser = await visit(idp, 'ada@example.com');
  const authenticator = new Authenticator({ origin: new URL(idp.issuer).origin });
  return { idp, ada, browser, authenticator };
}

type World = Awaited<ReturnType<typeof start>>;

async function visit(idp: TestIdp, email: string): Promise<Browser> {
  const browser = idp.browser();
  await signIn(browser, await browser.get('/login'), { email });
  return browser;
}

const openForm = async (browser: Browser) => passkeyFormOf((await browser.get('/account/passkeys/add')).html);
const listOf = ({ idp, ada }: Pick<World, 'idp' | 'ada'>) => passkeys.list(idp.db, ada.id);

/** Posts to the page of one passkey, with the token of that page. */
async function edit(browser: Browser, id: string, fields: Form) {
  const page = await browser.get(`/account/passkeys/edit?id=${id}`);
  const csrf = /name="csrf" value="([^"]+)"/.exec(page.html)?.[1] ?? '';
  return browser.request('/account/passkeys/edit', {
    method: 'POST',
    body: formBody({ csrf, id, ...fields }),
  });
}

describe.each(engines)('a passkey of one’s own, on %s', (engine) => {
  test('is added, named, and signs in; then it is removed, and does not', async () => {
    const world = await start({ engine });
    const { idp, ada, browser, authenticator } = world;
    const form = await openForm(browser);
    expect(form.options).toMatchObject({ user: { name: 'ada@example.com', displayName: 'Ada Lovelace' } });
    const added = await postPasskey(browser, form, authenticator.create(form.options));
    const [row] = await listOf(world);
    expect([added.status, added.headers.get('location')]).toEqual([303, '/account/security/codes']);
    expect(row).toMatchObject({
      name: 'Passkey',
      stands_alone: 1,
      transports: 'hybrid internal',
      last_used_at: null,
    });

    expect((await edit(browser, row?.id ?? '', { name: '  My\tphone ' })).status).toBe(303);
    expect((await browser.get('/account/passkeys')).html).toContain('My phone');

    const elsewhere = idp.browser();
    const asked = passkeyFormOf((await elsewhere.get('/login')).html);
    expect((await postPasskey(elsewhere, asked, authenticator.get(asked.options))).status).toBe(303);

    expect((await edit(browser, row?.id ?? '', { action: 'remove' })).status).toBe(303);
    expect(await listOf(world)).toEqual([]);
    const again = passkeyFormOf((await elsewhere.get('/login')).html);
    expect((await postPasskey(elsewhere, again, authenticator.get(again.options))).status).toBe(400);
    expect(await eventsOf(idp, 'passkey_added')).toMatchObject([{ user_id: ada.id, detail: 'Passkey' }]);
    expect(await eventsOf(idp, 'passkey_removed')).toMatchObject([{ user_id: ada.id, detail: 'My phone' }]);
    const told = (await mailRows(idp)).map(({ name }) => name);
    expect(told).toEqual(expect.arrayContaining(['passkey_added', 'passkey_removed']));
  });

  test('that is posted twenty times at once is added once', async () => {
    const world = await start({ engine });
    const form = await openForm(world.browser);
    const answer = world.authenticator.create(form.options);
    const posts = await Promise.all(
      Array.from({ length: 20 }, () => postPasskey(world.browser, form, answer)),
    );
    const to = posts.map(({ headers }) => headers.get('location')); // the others are asked to prove more, or to sign in
    expect(to.filter((path) => path === '/account/security/codes')).toHaveLength(1);
    expect(await listOf(world)).toHaveLength(1);
  });

  test('is not removed where it is the only way in; of the last two one stays, however fast both are removed', async () => {
    const world = await start({ engine });
    const { idp, ada, browser } = world;
    const rows = [await givePasskey(idp, ada), await givePasskey(idp, ada)].map(({ row }) => row.id);
    await idp.db.transaction((trx) => credentials.removeAll(trx, ada.id, 'password'));
    await proveFactors(idp, ada.id);
    const statuses = (await Promise.all(rows.map((id) => edit(browser, id, { action: 'remove' })))).map(
      ({ status }) => status,
    );
    expect(statuses.toSorted()).toEqual([303, 403]);
    expect(await listOf(world)).toHaveLength(1);
  });
});

test.each<[attack: string, changes: Changes]>([
  ['made for another site', { origin: 'https://attacker.example' }],
  ['made for another relying party', { rp_id: 'attacker.example' }],
  ['made for another challenge', { challenge: 'AAAA' }],
  ['made without anybody there', { user_present: false }],
  ['with an algorithm that nobody asked for', { alg: -65535 }],
])('a passkey %s is not added, and the page offers another try', async (_, changes) => {
  const world = await start();
  const { browser, authenticator } = world;
  const form = await openForm(browser);
  const { status, html } = await postPasskey(browser, form, authenticator.create(form.options, changes));
  expect([status, await listOf(world)]).toEqual([400, []]);
  const next = passkeyFormOf(html);
  expect((await postPasskey(browser, next, authenticator.create(next.options))).status).toBe(303);
});

test('the challenge of one person adds no passkey to another’s account, in the same browser too', async () => {
  const world = await start();
  const { idp, browser, authenticator } = world;
  const eve = await idp.addUser({ email: 'eve@example.com' });
  const taken = await openForm(browser);
  await signIn(browser, await browser.get('/login'), { email: 'eve@example.com' });
  const own = await openForm(browser);
  const mixed = { ...own, fields: { ...own.fields, challenge: taken.fields.challenge ?? '' } };
  expect((await postPasskey(browser, mixed, authenticator.create(taken.options))).status).toBe(403);
  expect([await listOf(world), await passkeys.list(idp.db, eve.id)]).toEqual([[], []]);
});

test('a passkey is one person’s: the same credential is not added to a second account', async () => {
  const { idp, ada, browser } = await start();
  const eve = await idp.addUser({ email: 'eve@example.com' });
  const { authenticator } = await givePasskey(idp, eve);
  const form = await openForm(browser);
  expect((await postPasskey(browser, form, authenticator.create(form.options))).status).toBe(409);
  expect(await passkeys.list(idp.db, ada.id)).toEqual([]);
});

test('an authenticator that holds one already is asked for none', async () => {
  const { idp, ada, browser } = await start();
  const { authenticator } = await givePasskey(idp, ada);
  await proveFactors(idp, ada.id);
  const { options } = await openForm(browser);
  expect(options.excludeCredentials).toMatchObject([{ id: authenticator.credential_id }]);
});

describe('recovery codes', () => {
  test('are offered with the first one', async () => {
    const { browser, authenticator } = await start();
    const form = await openForm(browser);
    const page = await browser.follow(postPasskey(browser, form, authenticator.create(form.options)));
    expect([new URL(page.url).pathname, codesIn(page.html).length]).toEqual(['/account/security/codes', 10]);
  });

  test('stay as they are when a second passkey is added, and go with the last', async () => {
    const { idp, ada, browser, authenticator } = await start();
    const { row } = await givePasskey(idp, ada);
    const codes = await addRecoveryCodes(idp, ada.id);
    await proveFactors(idp, ada.id);
    const form = await openForm(browser);
    const added = await postPasskey(browser, form, authenticator.create(form.options));
    expect(added.headers.get('location')).toMatch(/^\/account\/passkeys\/edit\?id=[\w-]+&done=added$/);
    const left = async () => (await credentials.list(idp.db, ada.id, 'recovery_code')).length;
    expect(await left()).toBe(codes.length);
    await edit(browser, row.id, { action: 'remove' });
    expect(await left()).toBe(codes.length);
    const [last] = await passkeys.list(idp.db, ada.id);
    await edit(browser, last?.id ?? '', { action: 'remove' });
    expect(await left()).toBe(0);
  });
});

test('twenty are enough', async () => {
  const world = await start();
  const { idp, ada, browser, authenticator } = world;
  for (let index = 0; index < 20; index += 1) await givePasskey(idp, ada);
  await proveFactors(idp, ada.id);
  const form = await openForm(browser);
  expect((await postPasskey(browser, form, authenticator.create(form.options))).status).toBe(409);
  expect(await listOf(world)).toHaveLength(20);
});

test.each([
  ['', 400],
  ['  ', 400],
  ['x'.repeat(101), 400],
])('%j is no name for one', async (name, status) => {
  const { idp, ada, browser } = await start();
  const { row } = await givePasskey(idp, ada);
  await proveFactors(idp, ada.id);
  expect((await edit(browser, row.id, { name })).status).toBe(status);
  expect(await passkeys.list(idp.db, ada.id)).toMatchObject([{ name: 'Phone' }]);
});

test.each(['rename', 'remove'])('nobody can %s another person’s (hardening row 26)', async (action) => {
  const { idp, ada, browser } = await start();
  const { row: mine } = await givePasskey(idp, ada);
  await proveFactors(idp, ada.id);
  const eve = await idp.addUser({ email: 'eve@example.com' });
  const { row: hers } = await givePasskey(idp, eve);
  const page = await browser.get(`/account/passkeys/edit?id=${mine.id}`);
  const csrf = /name="csrf" value="([^"]+)"/.exec(page.html)?.[1] ?? '';
  const body = formBody({ csrf, id: hers.id, name: 'mine now', action });
  const { status } = await browser.request('/account/passkeys/edit', { method: 'POST', body });
  expect([status, await passkeys.list(idp.db, eve.id)]).toMatchObject([404, [{ name: 'Phone' }]]);
  expect((await browser.get(`/account/passkeys/edit?id=${hers.id}`)).status).toBe(404);
});

describe('five minutes after the last proof', () => {
  test.each(['/account/passkeys/add', '/account/passkeys/edit?id=x'])(
    '%s asks who one is, and leads back',
    async (path) => {
      const { idp, browser } = await start();
      idp.advance(301);
      const { status, headers } = await browser.request(path);
      expect([status, headers.get('location')]).toEqual([
        303,
        `/confirm?${new URLSearchParams({ to: path })}`,
      ]);
    },
  );

  test('nothing is renamed and nothing removed', async () => {
    const { idp, ada, browser } = await start();
    const { row } = await givePasskey(idp, ada);
    const { headers: at } = await browser.request(`/account/passkeys/edit?id=${row.id}`);
    expect(at.get('location')).toBe(`/factor?${formBody({ to: `/account/passkeys/edit?id=${row.id}` })}`);
    await proveFactors(idp, ada.id);
    const page = await browser.get(`/account/passkeys/edit?id=${row.id}`);
    const csrf = /name="csrf" value="([^"]+)"/.exec(page.html)?.[1] ?? '';
    idp.advance(301);
    for (const action of ['rename', 'remove']) {
      const body = formBody({ csrf, id: row.id, name: 'x', action });
      const { headers } = await browser.request('/account/passkeys/edit', { method: 'POST', body });
      const to = `/account/passkeys/edit?id=${row.id}`;
      expect(headers.get('location')).toBe(`/confirm?${formBody({ to })}`);
    }
    expect(await passkeys.list(idp.db, ada.id)).toMatchObject([{ name: 'Phone' }]);
  });

  test('a passkey is proof enough: the same session, stronger, with a new cookie', async () => {
    const { idp, ada, browser } = await start();
    const { authenticator } = await givePasskey(idp, ada);
    idp.advance(301);
    const form = passkeyFormOf((await browser.get('/account/passkeys/add')).html);
    expect(form.options.allowCredentials).toMatchObject([{ id: authenticator.credential_id }]);
    const before = browser.cookies.get('sallyport_session');
    const { headers } = await postPasskey(browser, form, authenticator.get(form.options));
    expect(headers.get('location')).toBe('/account/passkeys/add');
    expect(browser.cookies.get('sallyport_session')).not.toBe(before);
    expect(await sessions.listByUser(idp.db, ada.id, idp.now())).toMatchObject([
      { amr: 'pwd pop hwk user mfa', acr: 'phr', proven_at: idp.now(), auth_time: idp.now() - 301 },
    ]);
  });

  test('another person’s passkey proves nothing', async () => {
    const { idp, browser, ada } = await start();
    await givePasskey(idp, ada);
    const { authenticator } = await givePasskey(idp, await idp.addUser({ email: 'eve@example.com' }));
    idp.advance(301);
    const form = passkeyFormOf((await browser.get('/account/passkeys/add')).html);
    expect((await postPasskey(browser, form, authenticator.get(form.options))).status).toBe(400);
    expect((await browser.request('/account/passkeys/add')).status).toBe(303);
  });
});

test('where the issuer’s host is an address the page says that there can be none', async () => {
  const idp = await startIdp();
  await idp.addUser();
  const browser = await visit(idp, 'ada@example.com');
  for (const path of ['/account/passkeys', '/account/passkeys/add'])
    expect((await browser.get(path)).html).toContain('browsers make no passkeys');
});
