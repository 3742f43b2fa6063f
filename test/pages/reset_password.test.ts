/** A new password by mail: /forgot-password and /reset-password. Hardening rows 12, 14, 16 and 17. */
import { describe, expect, test } from 'vitest';
import { askForReset } from '../../src/actions/reset_password.js';
import { disableUser, setPassword } from '../../src/actions/users.js';
import { digest } from '../../src/secrets.js';
import * as mailLinks from '../../src/store/mail_links.js';
import { listByUser } from '../../src/store/sessions.js';
import { find } from '../../src/store/users.js';
import { countRows } from '../support/authorize.js';
import { formOf } from '../support/browser.js';
import { engines } from '../support/database.js';
import { authorizeUrl } from '../support/flow.js';
import { startIdp } from '../support/idp.js';
import { lettersOf, linkIn, mailRows } from '../support/mails.js';
import { recording } from '../support/recording.js';
import { ask, asked, fresh, reset, worksWith } from '../support/reset.js';
import { startShop } from '../support/shop.js';

describe.each(engines)('a forgotten password on %s', (engine) => {
  test('is replaced by the link of a mail: sessions and families end, and its owner is told', async () => {
    const shop = await startShop({ engine });
    const { idp, user } = shop;
    const { refresh_token } = await shop.tokens();
    const browser = idp.browser();
    await ask(browser);
    const done = await reset(browser, await linkIn(idp));
    expect([done.status, new URL(done.url).pathname]).toEqual([200, '/login']);
    expect(done.html).toContain('Your password is set');
    expect(browser.cookies.has('sallyport_session')).toBe(false); // the factors of the next sign-in are asked for
    expect(await listByUser(idp.db, user.id, idp.now())).toEqual([]);
    expect((await shop.refresh(refresh_token)).body.error).toBe('invalid_grant');
    expect(await worksWith(idp, fresh)).toBe(true);
    expect((await mailRows(idp)).map(({ name }) => name)).toContain('password_changed');
  });

  test('is replaced once, by one of twenty who post the same link at the same time', async () => {
    const { idp, browser, path } = await asked({ engine });
    const { hidden } = formOf((await browser.get(path)).html);
    const body = (i: number) => new URLSearchParams({ ...hidden, password: `${fresh} ${i}` });
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        browser.request('/reset-password', { method: 'POST', body: body(i) }),
      ),
    );
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 303)).toHaveLength(1);
    expect(statuses.filter((status) => ![303, 404, 503].includes(status))).toEqual([]); // 503: too many are being judged
    expect((await mailRows(idp)).filter(({ name }) => name === 'password_changed')).toHaveLength(1);
  });

  test('of nobody runs the same statements as that of somebody, and neither says which (hardening 16)', async () => {
    const work = async (email: string) => {
      const idp = await startIdp({ engine });
      await idp.addUser();
      await idp.deps.keys.get();
      const { db, statements } = recording(idp.db);
      const visit = { user_agent: '', address: '127.0.0.1' };
      await askForReset({ ...idp.deps, db }, { email, visit, language: 'en', more: '' }, idp.now());
      return { statements, mails: await mailRows(idp), page: (await ask(idp.browser(), email)).html };
    };
    const [known, unknown] = [await work('ada@example.com'), await work('nobody@example.com')];
    expect(unknown.statements).toEqual(known.statements);
    expect(known.statements.length).toBeGreaterThan(4);
    expect([known.mails.length, unknown.mails.length]).toEqual([1, 0]);
    expect(unknown.page).toBe(known.page);
  });
});

describe('a link to reset a password', () => {
  test('leads to the issuer, whatever Host and forwarding headers say (Zitadel CVE-2025-64101)', async () => {
    const idp = await startIdp();
    await idp.addUser();
    const browser = idp.browser();
    const page = await browser.get('/forgot-password');
    const evil = {
      'x-forwarded-host': 'evil.example',
      forwarded: 'host=evil.example',
      'x-forwarded-proto': 'https',
    };
    await browser.post('/forgot-password', { ...formOf(page.html).hidden, email: 'ada@example.com' }, evil);
    const [letter] = await lettersOf(idp);
    expect(letter?.link).toMatch(new RegExp(`^${idp.issuer}/reset-password\\?token=[\\w-]{43}$`));
    expect(letter?.text).not.toContain('evil');
  });

  test('is not used up by being opened, as mail scanners do, and verifies the address when it is used', async () => {
    const { idp, user, browser, path } = await asked();
    for (let i = 0; i < 3; i += 1) expect((await idp.browser().get(path)).status).toBe(200);
    expect(await find(idp.db, user.id)).toMatchObject({ email_verified: 0 });
    await reset(browser, path);
    expect(await find(idp.db, user.id)).toMatchObject({ email_verified: 1 });
  });

  test('is stored as a digest, and neither it nor the mail is in the log or in a Referer', async () => {
    const { idp, browser, path } = await asked({
      settings: { SMTP_URL: 'smtp://127.0.0.1:1', MAIL_FROM: 'id@example.com' },
    });
    const token = new URL(path, idp.url).searchParams.get('token') ?? '';
    expect(await mailLinks.find(idp.db, digest(token), 'password_reset', idp.now())).toBeDefined();
    const page = await browser.get(path);
    expect(page.headers.get('referrer-policy')).toBe('strict-origin');
    expect(page.headers.get('cache-control')).toBe('no-store');
    await reset(browser, path);
    expect(JSON.stringify(idp.logged)).not.toContain(token);
  });

  test('is written to the address of the account, not to how somebody spelled it', async () => {
    const idp = await startIdp();
    await idp.addUser();
    await ask(idp.browser(), ' ADA@EXAMPLE.COM');
    await ask(idp.browser(), 'ada@example.com\u200b');
    await ask(idp.browser(), 'ada@exa\u212aple.com');
    expect((await lettersOf(idp)).map(({ to }) => to)).toEqual(['ada@example.com']);
  });

  test.each<[string, (world: Awaited<ReturnType<typeof asked>>) => unknown]>([
    ['half an hour later', ({ idp }) => idp.advance(1800)],
    ['when it was used before', ({ browser, path }) => reset(browser, path)],
    [
      'when the operator set a password since',
      ({ idp, user }) => setPassword(idp.deps, user.id, 'marmalade-orbit-fence', idp.now()),
    ],
    ['when the user was disabled', ({ idp, user }) => disableUser(idp.deps, user.id, idp.now())],
  ])('is good for nothing %s', async (_, change) => {
    const world = await asked();
    const { browser, path } = world;
    const form = formOf((await browser.get(path)).html).hidden;
    await change(world);
    const opened = await browser.get(path);
    expect([opened.status, opened.html.includes('not good any more')]).toEqual([404, true]);
    expect(
      (await browser.post('/reset-password', { ...form, password: 'a quite different secret 5' })).status,
    ).toBe(404);
    expect(await worksWith(world.idp, 'a quite different secret 5')).toBe(false);
  });

  test('goes on to the application in the browser that asked, and in no other', async () => {
    const { idp, shop } = await startShop();
    const browser = idp.browser();
    const login = await browser.get(authorizeUrl(shop.client.client_id));
    const to = /id="forgot" href="([^"]*)"/.exec(login.html)?.[1] ?? '';
    const sent = await browser.submit(await browser.get(to), { email: 'ada@example.com' });
    expect(sent.status).toBe(200);
    const path = await linkIn(idp);
    const elsewhere = idp.browser();
    const opened = await elsewhere.get(path);
    expect((await elsewhere.submit(opened, { password: 'short' })).status).toBe(400);
    const done = await reset(browser, path);
    expect(done.html).toContain('name="request"');
  });

  test('opened in another browser leads to a sign-in without the application', async () => {
    const { idp, shop } = await startShop();
    const browser = idp.browser();
    const login = await browser.get(authorizeUrl(shop.client.client_id));
    const to = /id="forgot" href="([^"]*)"/.exec(login.html)?.[1] ?? '';
    await browser.submit(await browser.get(to), { email: 'ada@example.com' });
    const done = await reset(idp.browser(), await linkIn(idp));
    expect([done.status, done.html.includes('name="request"')]).toEqual([200, false]);
  });
});

describe('a server that sends no mail', () => {
  test('says so, writes nothing, and has no link to it', async () => {
    const idp = await startIdp({ settings: { ISSUER: 'https://id.example' } });
    expect(await (await idp.fetch('/login')).text()).not.toContain('id="forgot"');
    expect(await (await idp.fetch('/forgot-password')).text()).toContain('Ask whoever runs it');
  });
});

describe('each step, given what it did not ask for,', () => {
  const values: readonly (readonly [string, (hidden: Record<string, string>) => [string, string][]])[] = [
    ['no field at all', () => []],
    [
      'a missing token',
      ({ csrf = '' }) => [
        ['csrf', csrf],
        ['password', fresh],
      ],
    ],
    [
      'an empty token',
      ({ csrf = '' }) => [
        ['csrf', csrf],
        ['token', ''],
        ['password', fresh],
      ],
    ],
    [
      'another’s token',
      ({ csrf = '' }) => [
        ['csrf', csrf],
        ['token', 'A'.repeat(43)],
        ['password', fresh],
      ],
    ],
    [
      'a repeated token',
      ({ csrf = '', token = '' }) => [
        ['csrf', csrf],
        ['token', token],
        ['token', token],
        ['password', fresh],
      ],
    ],
    [
      'a missing password',
      ({ csrf = '', token = '' }) => [
        ['csrf', csrf],
        ['token', token],
      ],
    ],
    [
      'a repeated password',
      ({ csrf = '', token = '' }) => [
        ['csrf', csrf],
        ['token', token],
        ['password', fresh],
        ['password', 'b'],
      ],
    ],
    [
      'a password that is too short',
      ({ csrf = '', token = '' }) => [
        ['csrf', csrf],
        ['token', token],
        ['password', 'x'],
      ],
    ],
    [
      'a password of 2 kB',
      ({ csrf = '', token = '' }) => [
        ['csrf', csrf],
        ['token', token],
        ['password', 'x'.repeat(2048)],
      ],
    ],
  ];

  test.each(values)('%s: refused with a page, nothing changes', async (_, fieldsOf) => {
    const { idp, browser, path } = await asked();
    const { hidden } = formOf((await browser.get(path)).html);
    const before = await countRows(idp);
    const body = new URLSearchParams(fieldsOf(hidden));
    const answer = await browser.request('/reset-password', { method: 'POST', body });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
    expect(answer.headers.get('content-type')).toContain('text/html');
    expect(await countRows(idp)).toEqual(before);
    expect(await worksWith(idp, 'correct horse battery staple')).toBe(true);
  });
});
