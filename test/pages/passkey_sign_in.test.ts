/** Signing in with a passkey at the login page: POST /login. WebAuthn §7.2; hardening rows 9, 14, 15 and 16. */
import { describe, expect, test } from 'vitest';
import { disableUser } from '../../src/actions/users.js';
import * as passkeys from '../../src/store/passkeys.js';
import * as sessions from '../../src/store/sessions.js';
import { statement } from '../../src/store/statement.js';
import type { Changes } from '../support/authenticator.js';
import type { Browser } from '../support/browser.js';
import { engines } from '../support/database.js';
import { type IdpOptions, startIdp, type TestIdp } from '../support/idp.js';
import { givePasskey, passkeyFormOf, postPasskey } from '../support/passkeys.js';
import { eventsOf } from '../support/shop.js';

const everyAttempt = statement<object, { id_hash: string }>((sql) => sql('assertion_ids'));
const forgetAll = statement<object>((sql) => sql('passkeys').delete());

async function start(options: IdpOptions = {}) {
  const idp = await startIdp({ host: 'localhost', ...options });
  const ada = await idp.addUser();
  const { authenticator, row } = await givePasskey(idp, ada);
  const browser = idp.browser();
  return { idp, ada, authenticator, row, browser, form: await openForm(browser) };
}

async function openForm(browser: Browser) {
  return passkeyFormOf((await browser.get('/login')).html);
}

const sessionsOf = (idp: TestIdp, user_id: string) => sessions.listByUser(idp.db, user_id, idp.now());

describe.each(engines)('a passkey at the login page, on %s', (engine) => {
  test('signs in by itself and counts as two factors that resist phishing', async () => {
    const { idp, ada, authenticator, browser, form } = await start({ engine });
    const { status, headers } = await postPasskey(browser, form, authenticator.get(form.options));
    expect([status, headers.get('location')]).toEqual([303, '/']);
    expect(browser.cookies.has('sallyport_session')).toBe(true);
    expect(await sessionsOf(idp, ada.id)).toMatchObject([{ amr: 'pop hwk user mfa', acr: 'phr' }]);
    expect(await passkeys.list(idp.db, ada.id)).toMatchObject([{ sign_count: 1, last_used_at: idp.now() }]);
  });

  test('that one assertion is posted twenty times at once gives one session (replay)', async () => {
    const { idp, ada, authenticator, browser, form } = await start({ engine });
    const answer = authenticator.get(form.options, { sign_count: 0 });
    const posts = Array.from({ length: 20 }, () => postPasskey(browser, form, answer));
    const statuses = (await Promise.all(posts)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 303)).toHaveLength(1);
    expect(statuses.filter((status) => status === 403)).toHaveLength(19);
    expect(await sessionsOf(idp, ada.id)).toHaveLength(1);
  });

  test('whose counter goes back was copied: it is refused, and noted for its owner', async () => {
    const { idp, ada, authenticator, browser, form } = await start({ engine });
    expect(
      (await postPasskey(browser, form, authenticator.get(form.options, { sign_count: 9 }))).status,
    ).toBe(303);
    const stranger = idp.browser();
    const again = await openForm(stranger);
    const { status } = await postPasskey(
      stranger,
      again,
      authenticator.get(again.options, { sign_count: 9 }),
    );
    expect([status, stranger.cookies.has('sallyport_session')]).toEqual([400, false]);
    expect(await eventsOf(idp, 'passkey_refused')).toMatchObject([{ user_id: ada.id, detail: 'Phone' }]);
    expect(await passkeys.list(idp.db, ada.id)).toMatchObject([{ sign_count: 9 }]);
  });
});

test.each<[attack: string, changes: Changes]>([
  ['an assertion for another site', { origin: 'https://attacker.example' }],
  ['an assertion for another relying party', { rp_id: 'attacker.example' }],
  ['an assertion for another challenge', { challenge: 'AAAA' }],
  ['an assertion from a frame of another site', { cross_origin: true }],
  ['an assertion that found out nobody', { user_verified: false }],
  ['an assertion without anybody there', { user_present: false }],
  ['an assertion that names nobody', { user_handle: null }],
  ['an assertion that names another person', { user_handle: 'ZXZl' }],
  ['a changed signature', { tamper: true }],
  ['a registration', { type: 'webauthn.create' }],
])('%s signs nobody in, and the page offers another try', async (_, changes) => {
  const { idp, ada, authenticator, browser, form } = await start();
  const { status, html } = await postPasskey(browser, form, authenticator.get(form.options, changes));
  expect([status, browser.cookies.has('sallyport_session')]).toEqual([400, false]);
  expect(await sessionsOf(idp, ada.id)).toEqual([]);
  const next = passkeyFormOf(html);
  expect((await postPasskey(browser, next, authenticator.get(next.options))).status).toBe(303);
});

describe('a challenge', () => {
  test.each<[attack: string, take: (at: Awaited<ReturnType<typeof start>>) => Promise<{ status: number }>]>([
    [
      'is not good for another browser: an assertion that was fetched with it signs the attacker’s in nowhere',
      async ({ idp, authenticator, form }) => {
        const other = idp.browser();
        const { fields } = await openForm(other);
        const taken = { ...form, fields: { ...fields, challenge: form.fields.challenge ?? '' } };
        return postPasskey(other, taken, authenticator.get(form.options));
      },
    ],
    [
      'is not good after five minutes',
      async ({ idp, authenticator, browser, form }) => {
        idp.advance(300);
        return postPasskey(browser, form, authenticator.get(form.options));
      },
    ],
    [
      'is ours',
      async ({ authenticator, browser, form }) => {
        const made_up = { ...form, fields: { ...form.fields, challenge: 'made up' } };
        return postPasskey(browser, made_up, authenticator.get(form.options));
      },
    ],
  ])('%s', async (_, take) => {
    const world = await start();
    expect((await take(world)).status).toBe(403);
    expect(await sessionsOf(world.idp, world.ada.id)).toEqual([]);
  });

  test('costs the server nothing to give: no row is written for whoever opens the page', async () => {
    const { idp, browser } = await start();
    const before = await idp.db.all(everyAttempt, {});
    for (let visits = 0; visits < 5; visits += 1) await openForm(browser);
    expect(await idp.db.all(everyAttempt, {})).toEqual(before);
  });
});

test.each(['', '{}', 'null', '[]', '"x"', '{"id":1}', '\u0000', 'x'.repeat(16_385)])(
  'rubbish as an answer (%#) is refused with a page, never a 500',
  async (text) => {
    const { browser, form } = await start();
    expect((await postPasskey(browser, form, text)).status).toBeOneOf([400, 403]);
  },
);

test('a passkey of a disabled person signs in as little as one that nobody has', async () => {
  const { idp, ada, authenticator, browser, form } = await start();
  await disableUser(idp.deps, ada.id, idp.now());
  const refused = await postPasskey(browser, form, authenticator.get(form.options));
  const other = await openForm(browser);
  const { authenticator: stranger } = await givePasskey(idp, await idp.addUser({ email: 'eve@example.com' }));
  await idp.db.run(forgetAll, {});
  const unknown = await postPasskey(browser, other, stranger.get(other.options));
  expect([refused.status, unknown.status]).toEqual([400, 400]);
  expect(unknown.html).toContain('signalUnknownCredential');
  expect(refused.html).not.toContain('signalUnknownCredential');
});

test('the page says nothing of any account, whatever address was typed (hardening row 16)', async () => {
  const { idp, browser } = await start();
  const page = await browser.submit(await browser.get('/login'), {
    email: 'ada@example.com',
    password: 'wrong',
  });
  const { options } = passkeyFormOf(page.html);
  expect(options).not.toHaveProperty('allowCredentials');
  expect(Object.keys(options)).toEqual(Object.keys((await openForm(idp.browser())).options));
});

test('whoever locks an account by guessing its password leaves its passkeys usable (hardening row 15)', async () => {
  const { idp, authenticator, browser, form } = await start({
    settings: { ATTEMPTS_PER_ACCOUNT: '3', ATTEMPTS_PER_SOURCE: '10' },
  });
  const attacker = idp.browser();
  const page = await attacker.get('/login');
  const guess = async () =>
    (await attacker.submit(page, { email: 'ada@example.com', password: 'wrong' })).status;
  expect([await guess(), await guess(), await guess(), await guess()]).toEqual([400, 400, 400, 429]);
  expect((await postPasskey(browser, form, authenticator.get(form.options))).status).toBe(303);
});

test('one source that posts wrong assertions is stopped, until a quarter of an hour is over', async () => {
  const { idp, authenticator, browser, form } = await start({ settings: { ATTEMPTS_PER_SOURCE: '10' } });
  const statuses = [];
  for (let tries = 0; tries < 11; tries += 1)
    statuses.push(
      (await postPasskey(browser, form, authenticator.get(form.options, { tamper: true }))).status,
    );
  expect(statuses).toEqual([...Array(10).fill(400), 429]);
  idp.advance(15 * 60);
  const later = await openForm(browser);
  expect((await postPasskey(browser, later, authenticator.get(later.options))).status).toBe(303);
});

test('who signs in with a passkey again keeps the session with a new cookie; another person ends it (hardening row 9)', async () => {
  const { idp, ada, authenticator, browser, form } = await start();
  await postPasskey(browser, form, authenticator.get(form.options));
  const [first] = await sessionsOf(idp, ada.id);
  const again = await openForm(browser);
  await postPasskey(browser, again, authenticator.get(again.options));
  const [second] = await sessionsOf(idp, ada.id);
  expect(second?.id).toBe(first?.id);
  expect(second?.token_hash).not.toBe(first?.token_hash);
  const eve = await idp.addUser({ email: 'eve@example.com' });
  const hers = await givePasskey(idp, eve);
  const third = await openForm(browser);
  await postPasskey(browser, third, hers.authenticator.get(third.options));
  expect([await sessionsOf(idp, ada.id), await sessionsOf(idp, eve.id)]).toMatchObject([
    [],
    [{ user_id: eve.id }],
  ]);
});

test('an issuer whose host is an address has no passkeys: the page is as without them', async () => {
  const idp = await startIdp();
  const browser = idp.browser();
  const page = await browser.get('/login');
  expect(page.html).not.toContain('passkey');
  const posted = await browser.submit(page, { passkey: '{}', challenge: 'x' });
  expect(posted.status).toBe(403);
});
