/** Another address, and showing that one's address is one's own: /account/email and /email-link. Hardening rows 10–12. */
import { describe, expect, test } from 'vitest';
import { askForEmail } from '../../../src/actions/change_email.js';
import { maskedAddress } from '../../../src/mail/address.js';
import { listByUser } from '../../../src/store/sessions.js';
import * as users from '../../../src/store/users.js';
import { countRows, headingOf, signedInBrowser } from '../../support/authorize.js';
import { type Browser, formOf, type Page } from '../../support/browser.js';
import { engines } from '../../support/database.js';
import { signIn } from '../../support/flow.js';
import { type IdpOptions, password, startIdp, type TestIdp } from '../../support/idp.js';
import { lettersOf, mailRows } from '../../support/mails.js';
import { recording } from '../../support/recording.js';

async function start(options: IdpOptions = {}) {
  const idp = await startIdp(options);
  const { id } = await idp.addUser({ email_verified: false });
  const browser = await signedInBrowser(idp);
  return { idp, id, browser, user: () => users.find(idp.db, id) };
}

const csrfOf = (html: string) => ({ csrf: formOf(html).hidden.csrf ?? '' });

async function ask(browser: Browser, email = 'countess@example.com'): Promise<Page> {
  const { html } = await browser.get('/account/email');
  return browser.post('/account/email', { ...csrfOf(html), action: 'change', email });
}

/** The messages about addresses, by name: not that somebody signed in. */
const namesOf = async (idp: TestIdp) =>
  (await mailRows(idp))
    .map(({ name }) => name)
    .filter((name) => name !== 'new_device')
    .toSorted();

/** The path of the link in the message of this name. */
async function linkOf(idp: TestIdp, name: string): Promise<string> {
  const rows = await mailRows(idp);
  const letters = await lettersOf(idp);
  const link = letters[rows.findIndex((row) => row.name === name)]?.link ?? '';
  return link.slice(idp.issuer.length);
}

const confirm = async (browser: Browser, path: string) => browser.submit(await browser.get(path), {});

describe.each(engines)('a new address on %s', (engine) => {
  test('counts when its link is used, in any browser; the old one is told before and after', async () => {
    const { idp, browser, user } = await start({ engine });
    expect((await ask(browser, ' Countess@Example.com ')).html).toContain('A link is on its way');
    expect(await user()).toMatchObject({ email: 'ada@example.com', email_verified: 0 });
    const path = await linkOf(idp, 'email_change');
    expect(headingOf(await idp.browser().get(path))).toBe('Confirm your address'); // a mail scanner changes nothing
    expect(await user()).toMatchObject({ email: 'ada@example.com' });
    expect(headingOf(await confirm(idp.browser(), path))).toBe('Your address is confirmed');
    expect(await user()).toMatchObject({
      ...{ email: 'Countess@Example.com', email_canonical: 'countess@example.com', email_verified: 1 },
    });
    expect(await namesOf(idp)).toEqual(['email_change', 'email_change_asked', 'email_changed']);
    const letters = (await lettersOf(idp)).filter(({ subject }) => !subject.startsWith('New sign-in'));
    const told = letters.map(({ to }) => to);
    expect(told.toSorted()).toEqual(['Countess@Example.com', 'ada@example.com', 'ada@example.com']);
    const other = idp.browser();
    const again = await signIn(other, await other.get('/login'), { email: 'countess@example.com' });
    expect(again.status).toBe(200);
  });

  test('is taken back from the old address for seven days: sessions, password and later changes are undone', async () => {
    const { idp, browser, id, user } = await start({ engine });
    await ask(browser);
    await confirm(browser, await linkOf(idp, 'email_change'));
    const undo = await linkOf(idp, 'email_changed');
    idp.advance(200);
    await ask(browser, 'third@example.com');
    idp.advance(7 * 86_400 - 300);
    const owner = idp.browser();
    const done = await confirm(owner, undo);
    expect(headingOf(done)).toBe('Set a new password');
    expect(await user()).toMatchObject({ email: 'ada@example.com', email_verified: 1 });
    expect(await listByUser(idp.db, id, idp.now())).toEqual([]);
    const stranger = idp.browser();
    expect((await signIn(stranger, await stranger.get('/login'), { password })).status).toBe(400);
    const fresh = 'glacier-turnip-accordion-mild';
    await owner.submit(done, { password: fresh });
    expect((await signIn(owner, await owner.get('/login'), { password: fresh })).status).toBe(200);
    expect((await owner.get(undo)).status).toBe(404);
  });

  test('that two people confirm at the same moment is one person’s', async () => {
    const { idp } = await start({ engine, settings: { MAILS_PER_ADDRESS: '5' } });
    const paths: string[] = [];
    for (let i = 0; i < 8; i += 1) {
      const { id } = await idp.addUser({ email: `p${i}@example.com` });
      const visit = { user_agent: '', address: `192.0.${i}.2` };
      await askForEmail(
        idp.deps,
        { user_id: id, email: 'one@example.com', visit, language: 'en' },
        idp.now(),
      );
    }
    const letters = (await lettersOf(idp)).filter(({ to }) => to === 'one@example.com');
    for (const { link } of letters) paths.push((link ?? '').slice(idp.issuer.length));
    expect(paths).toHaveLength(5); // as many as one address is sent in half an hour
    const browser = idp.browser();
    const forms: Record<string, string>[] = [];
    for (const path of paths) forms.push(formOf((await browser.get(path)).html).hidden);
    const answers = await Promise.all(
      forms.map((hidden) =>
        browser.request('/email-link', { method: 'POST', body: new URLSearchParams(hidden) }),
      ),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([303, 409, 409, 409, 409]);
  });

  test('of somebody else runs the same statements as a free one, and the answer is the same (hardening 16)', async () => {
    const work = async (email: string) => {
      const { idp, id } = await start({ engine });
      await idp.addUser({ email: 'grace@example.com' });
      await idp.deps.keys.get();
      const { db, statements } = recording(idp.db);
      const visit = { user_agent: '', address: '127.0.0.1' };
      await askForEmail({ ...idp.deps, db }, { user_id: id, email, visit, language: 'en' }, idp.now());
      return { statements, names: await namesOf(idp) };
    };
    const [taken, free] = [await work('grace@example.com'), await work('free@example.com')];
    expect(taken.statements).toEqual(free.statements);
    expect([taken.names, free.names]).toEqual([
      ['account_exists', 'email_change_asked'],
      ['email_change', 'email_change_asked'],
    ]);
  });
});

test('the page of a link says which account it is about to who knows it, and no more to a stranger who was sent it', async () => {
  const { idp, browser } = await start();
  await ask(browser, 'conutess@example.com');
  const { html } = await idp.browser().get(await linkOf(idp, 'email_change'));
  expect(html).toContain('It takes the place of <bdi>a•••@e•••.com</bdi>.');
  expect(html).not.toMatch(/ada@|Lovelace/);
});

test.each([
  ['ada@example.com', 'a•••@e•••.com'],
  ['🦊fox@mail.example.co.uk', '🦊•••@m•••.uk'],
  ['root@localhost', 'r•••@l•••'],
])('%s is masked as %s', (address, masked) => {
  expect(maskedAddress(address)).toBe(masked);
});

test('the address that an account has is confirmed by a link', async () => {
  const { idp, browser, user } = await start();
  const page = await browser.get('/account/email');
  expect(page.html).toContain('It is not confirmed yet.');
  await browser.post('/account/email', { ...csrfOf(page.html), action: 'verify' });
  await confirm(idp.browser(), await linkOf(idp, 'email_verification'));
  expect(await user()).toMatchObject({ email_verified: 1 });
  expect((await browser.get('/account/email')).html).toContain('It is confirmed.');
});

describe('an attacker', () => {
  test('at a browser that was left signed in changes no address: a recent proof is asked for', async () => {
    const { idp, browser } = await start();
    const { html } = await browser.get('/account/email');
    idp.advance(301);
    const page = await browser.post('/account/email', {
      ...csrfOf(html),
      action: 'change',
      email: 'eve@evil.example',
    });
    expect(headingOf(page)).toBe('Confirm that it is you');
    expect(await namesOf(idp)).toEqual([]);
  });

  test('whose own link is another’s address changes nothing of theirs', async () => {
    const { idp, browser, user } = await start();
    await ask(browser, 'grace@example.com');
    await idp.addUser({ email: 'grace@example.com' }); // registered meanwhile
    const done = await confirm(browser, await linkOf(idp, 'email_change'));
    expect([done.status, (await user())?.email]).toEqual([409, 'ada@example.com']);
  });

  test('cannot use an older link after another address was asked for', async () => {
    const { idp, browser } = await start();
    await ask(browser, 'first@example.com');
    const first = await linkOf(idp, 'email_change');
    await ask(browser, 'second@example.com');
    expect((await browser.get(first)).status).toBe(404);
  });
});

describe('an address', () => {
  test.each([
    ['', 400],
    ['ada', 400],
    ['ada@example.com', 400],
    ['ADA@example.com', 400],
    ['a@b.example, c@d.example', 400],
    ['<a@b.example>', 400],
    ['a@b.example\r\nBcc: c@d.example', 400],
  ])('%j is refused', async (email, status) => {
    const { idp, browser } = await start();
    const before = await countRows(idp);
    expect((await ask(browser, email)).status).toBe(status);
    expect(await countRows(idp)).toEqual(before);
  });

  test.each<[string, object, number]>([
    ['outside of the allowed domains', { USER_REGISTRATION_DOMAINS: 'example.com' }, 400],
    ['where the operator does not let people change it', { EMAIL_EDITABLE: 'false' }, 403],
    ['where no mail is sent', { ISSUER: 'https://id.example' }, 403],
  ])('is refused %s', async (_, settings, status) => {
    const idp = await startIdp({ settings: { ...settings } });
    const { id } = await idp.addUser();
    const visit = { user_agent: '', address: '127.0.0.1' };
    const asked = askForEmail(
      idp.deps,
      { user_id: id, email: 'a@b.example', visit, language: 'en' },
      idp.now(),
    );
    await expect(asked).rejects.toMatchObject({ status });
    expect(await namesOf(idp)).toEqual([]);
  });
});

describe('each step, given what it did not ask for,', () => {
  const wrong: readonly (readonly [string, (token: string) => [string, string][]])[] = [
    ['no token', () => []],
    ['an empty token', () => [['token', '']]],
    ['another token', () => [['token', 'A'.repeat(43)]]],
    [
      'a repeated token',
      (token) => [
        ['token', token],
        ['token', token],
      ],
    ],
  ];
  test.each(wrong)('%s: refused with a page, nothing changes', async (_, fieldsOf) => {
    const { idp, browser, user } = await start();
    await ask(browser);
    const { csrf = '', token = '' } = formOf(
      (await browser.get(await linkOf(idp, 'email_change'))).html,
    ).hidden;
    const body = new URLSearchParams([['csrf', csrf], ...fieldsOf(token)]);
    const answer = await browser.request('/email-link', { method: 'POST', body });
    expect(answer.status >= 400 && answer.status < 500).toBe(true);
    expect(await user()).toMatchObject({ email: 'ada@example.com', email_verified: 0 });
  });

  test.each<[string, number, number]>([
    ['email_change', 86_400, 404],
    ['email_changed', 7 * 86_400, 404],
  ])('the link of %s after its time (%i s): %i', async (name, seconds, status) => {
    const { idp, browser } = await start();
    await ask(browser);
    if (name === 'email_changed') await confirm(browser, await linkOf(idp, 'email_change'));
    const path = await linkOf(idp, name);
    idp.advance(seconds);
    expect((await idp.browser().get(path)).status).toBe(status);
  });
});
