/** New accounts: /register-account, /create-account, invitations and prompt=create. Hardening rows 9–11, 14 and 16. */
import { describe, expect, test } from 'vitest';
import { inviteUser } from '../../src/actions/invitations.js';
import { askForAccount } from '../../src/actions/registration.js';
import { statement } from '../../src/store/statement.js';
import { findByEmail, type UserRow } from '../../src/store/users.js';
import { answerOf, headingOf, kindOf } from '../support/authorize.js';
import { formOf } from '../support/browser.js';
import { engines } from '../support/database.js';
import { authorizeUrl, redeem, signIn } from '../support/flow.js';
import { startIdp, type TestIdp } from '../support/idp.js';
import { lettersOf, linkIn, mailRows } from '../support/mails.js';
import { ask, create, new_password as password, startOpen } from '../support/new_account.js';
import { recording } from '../support/recording.js';

const allUsers = statement<object, UserRow>((sql) => sql('users'));
const usersOf = (idp: TestIdp) => idp.db.all(allUsers, {});

describe.each(engines)('registration on %s', (engine) => {
  test('leaves nothing behind but a mail until its link is opened; then there is an account, verified and signed in', async () => {
    const idp = await startOpen({ engine });
    const browser = idp.browser();
    const sent = await ask(browser, ' Grace@Example.com ');
    expect([headingOf(sent), await usersOf(idp)]).toEqual(['Check your mail', []]);
    expect(browser.cookies.has('sallyport_session')).toBe(false);
    const done = await create(browser, await linkIn(idp));
    expect([done.status, headingOf(done)]).toEqual([200, 'You are signed in']);
    expect(await usersOf(idp)).toMatchObject([
      {
        email: 'Grace@Example.com',
        email_canonical: 'grace@example.com',
        email_verified: 1,
        name: 'Grace Hopper',
        roles: '',
      },
    ]);
    const other = idp.browser();
    const again = await signIn(other, await other.get('/login'), { email: 'grace@example.com', password });
    expect(again.status).toBe(200);
  });

  test('by the same link twenty times at once makes one account', async () => {
    const idp = await startOpen({ engine });
    const browser = idp.browser();
    await ask(browser);
    const { hidden } = formOf((await browser.get(await linkIn(idp))).html);
    const body = new URLSearchParams({ ...hidden, name: 'Grace', password });
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => browser.request('/create-account', { method: 'POST', body })),
    );
    expect(answers.filter(({ status }) => status === 303)).toHaveLength(1);
    expect(answers.filter(({ status }) => ![303, 409, 503].includes(status))).toEqual([]);
    expect(await usersOf(idp)).toHaveLength(1);
  });

  test('of an address with an account runs the same statements, and its answer is the same (hardening 16)', async () => {
    const work = async (email: string) => {
      const idp = await startOpen({ engine });
      await idp.addUser();
      await idp.deps.keys.get();
      const { db, statements } = recording(idp.db);
      const visit = { user_agent: '', address: '127.0.0.1' };
      await askForAccount({ ...idp.deps, db }, { email, visit, language: 'en', more: '' }, idp.now());
      return {
        statements,
        page: (await ask(idp.browser(), email)).html,
        names: (await mailRows(idp)).map(({ name }) => name),
      };
    };
    const [known, unknown] = [await work('ada@example.com'), await work('nobody@example.com')];
    expect(unknown.statements).toEqual(known.statements);
    expect(unknown.page).toBe(known.page);
    expect([known.names[0], unknown.names[0]]).toEqual(['account_exists', 'registration']);
  });

  test('by invitation: once, with the roles that the operator gave', async () => {
    const idp = await startIdp({ engine, settings: { USER_REGISTRATION: 'invitation' } });
    const invitation = { email: 'grace@example.com', name: 'Grace Hopper', roles: ['editor'] };
    const { link } = await inviteUser(idp.deps, invitation, idp.now());
    const path = link.slice(idp.issuer.length);
    const browser = idp.browser();
    expect((await browser.get(path)).html).toContain('value="Grace Hopper"');
    expect(headingOf(await create(browser, path))).toBe('You are signed in');
    expect(await usersOf(idp)).toMatchObject([{ roles: 'editor', email_verified: 1 }]);
    expect((await idp.browser().get(path)).status).toBe(404);
  });
});

describe('an attacker', () => {
  test('who registers with the address of somebody else gets no account that they know the password of', async () => {
    const idp = await startOpen();
    const attacker = idp.browser();
    await ask(attacker, 'victim@example.com');
    expect(await usersOf(idp)).toEqual([]);
    const victim = idp.browser();
    await create(victim, await linkIn(idp));
    expect(attacker.cookies.has('sallyport_session')).toBe(false);
    const page = await attacker.get('/login');
    const tried = await signIn(attacker, page, {
      email: 'victim@example.com',
      password: 'what the attacker chose',
    });
    expect(tried.status).toBe(400);
  });

  test.each([
    ['email', 'root@example.com'],
    ['email_verified', 'true'],
    ['roles', 'admin'],
    ['role', 'admin'],
    ['id', 'u1'],
  ])('who adds a field %s to the form gives themselves nothing', async (field, value) => {
    const idp = await startOpen();
    const browser = idp.browser();
    await ask(browser);
    await create(browser, await linkIn(idp), { [field]: value });
    expect(await usersOf(idp)).toMatchObject([{ email: 'grace@example.com', roles: '' }]);
  });

  test('cannot make the link of one purpose do the work of another, nor change it', async () => {
    const idp = await startOpen();
    await idp.addUser();
    const browser = idp.browser();
    await browser.submit(await browser.get('/forgot-password'), { email: 'ada@example.com' });
    const reset = new URL(await linkIn(idp), idp.url).searchParams.get('token') ?? '';
    const { link } = await inviteUser(idp.deps, { email: 'g@example.com', name: '', roles: [] }, idp.now());
    const invitation = new URL(link).searchParams.get('token') ?? '';
    const statuses = await Promise.all(
      [
        `/create-account?token=${reset}`,
        `/reset-password?token=${invitation}`,
        `/create-account?token=a.${invitation}`,
      ].map(async (path) => (await browser.get(path)).status),
    );
    expect(statuses).toEqual([404, 404, 404]);
  });

  test('cannot have mails sent without end, to one address or from one source', async () => {
    const idp = await startOpen({ settings: { MAILS_PER_ADDRESS: '2', MAILS_PER_SOURCE: '4' } });
    const statuses = [];
    for (let i = 0; i < 5; i += 1) statuses.push((await ask(idp.browser())).status);
    expect(statuses).toEqual([200, 200, 200, 200, 429]);
    expect(await mailRows(idp)).toHaveLength(2);
  });

  test('puts no words of theirs into a mail to a stranger', async () => {
    const idp = await startOpen();
    const page = await idp.browser().get('/register-account');
    await idp.browser().post('/register-account', {
      ...formOf(page.html).hidden,
      email: 'grace@example.com',
      name: 'Cheap pills',
    });
    const browser = idp.browser();
    const form = formOf((await browser.get('/register-account')).html).hidden;
    const agent = { 'user-agent': 'Visit https://evil.example' };
    await browser.post(
      '/register-account',
      { ...form, email: 'grace@example.com', name: 'Cheap pills' },
      agent,
    );
    const texts = (await lettersOf(idp)).map(({ text, html }) => text + html);
    expect(texts).toHaveLength(1);
    expect(texts.join()).not.toMatch(/pills|evil/);
  });
});

describe('who may make an account', () => {
  test.each([
    ['closed', 403],
    ['invitation', 403],
    ['open', 200],
  ])('USER_REGISTRATION %s: %i', async (setting, status) => {
    const idp = await startIdp({ settings: { USER_REGISTRATION: setting } });
    expect((await idp.fetch('/register-account')).status).toBe(status);
    const login = await (await idp.fetch('/login')).text();
    expect(login.includes('id="register"')).toBe(setting === 'open');
  });

  test('a link is good for nothing when registration was closed meanwhile, or a day later', async () => {
    const idp = await startOpen();
    const browser = idp.browser();
    await ask(browser);
    const path = await linkIn(idp);
    idp.advance(86_400);
    expect((await browser.get(path)).status).toBe(404);
    const closed = await startIdp();
    expect((await closed.browser().get(path)).status).toBe(404);
  });

  test.each([
    ['grace@example.com', 200],
    ['grace@EXAMPLE.com', 200],
    ['grace@bücher.example', 200],
    ['grace@xn--bcher-kva.example', 200],
    ['grace@sub.example.com', 400],
    ['grace@example.com.evil.example', 400],
    ['grace@evil.example', 400],
    ['"grace@example.com"@evil.example', 400],
    ['grace@example.com@evil.example', 400],
    ['grace@evil.example, x@example.com', 400],
    ['', 400],
    ['grace', 400],
  ])('USER_REGISTRATION_DOMAINS example.com, bücher.example: %s is answered %i', async (email, status) => {
    const idp = await startOpen({ settings: { USER_REGISTRATION_DOMAINS: 'example.com, Bücher.example' } });
    expect((await ask(idp.browser(), email)).status).toBe(status);
    expect(await mailRows(idp)).toHaveLength(status === 200 ? 1 : 0);
  });

  test('an invitation is for seven days, and not for who has an account', async () => {
    const idp = await startIdp({ settings: { USER_REGISTRATION: 'invitation' } });
    const { email } = await idp.addUser();
    const invite = (to: string) => inviteUser(idp.deps, { email: to, name: '', roles: [] }, idp.now());
    await expect(invite(email)).rejects.toMatchObject({ code: 'conflict' });
    const { link } = await invite('grace@example.com');
    idp.advance(7 * 86_400);
    expect((await idp.browser().get(link.slice(idp.issuer.length))).status).toBe(404);
    const closed = await startIdp();
    const refused = inviteUser(closed.deps, { email: 'g@example.com', name: '', roles: [] }, closed.now());
    await expect(refused).rejects.toMatchObject({ code: 'not_allowed' });
  });
});

describe('prompt=create (Initiating User Registration 1.0)', () => {
  async function asked() {
    const idp = await startOpen();
    const shop = await idp.addClient({}, 'shop');
    const browser = idp.browser();
    const page = await browser.get(authorizeUrl('shop', { prompt: 'create' }));
    return { idp, shop, browser, page };
  }

  test('leads to registration, and by the mail on to the application', async () => {
    const { idp, shop, browser, page } = await asked();
    expect(kindOf(page)).toBe('/register-account');
    await browser.submit(page, { email: 'grace@example.com' });
    const done = await create(browser, await linkIn(idp));
    const { code } = answerOf(done);
    expect((await redeem(idp, shop, code ?? '')).status).toBe(200);
  });

  test('goes on an hour later, too', async () => {
    const { idp, browser, page } = await asked();
    await browser.submit(page, { email: 'grace@example.com' });
    idp.advance(3600);
    expect(answerOf(await create(browser, await linkIn(idp)))).toHaveProperty('code');
  });

  test('opened in another browser, the account is made and the person sent back kindly', async () => {
    const { idp, browser, page } = await asked();
    await browser.submit(page, { email: 'grace@example.com' });
    const phone = idp.browser();
    const done = await create(phone, await linkIn(idp));
    expect([done.status, headingOf(done)]).toEqual([200, 'Your account is ready']);
    expect(await findByEmail(idp.db, 'grace@example.com')).toBeDefined();
  });

  test('lets somebody who has an account sign in instead', async () => {
    const { idp, browser, page } = await asked();
    await idp.addUser();
    const to = /href="(\/login\?request=[^"]+)"/.exec(page.html)?.[1] ?? '';
    expect(answerOf(await signIn(browser, await browser.get(to)))).toHaveProperty('code');
  });

  test('shows registration although somebody is signed in', async () => {
    const { idp, browser } = await asked();
    await idp.addUser();
    await signIn(browser, await browser.get('/login'));
    idp.advance(10);
    expect(kindOf(await browser.get(authorizeUrl('shop', { prompt: 'create' })))).toBe('/register-account');
  });

  test.each([
    ['open', true],
    ['invitation', false],
    ['closed', false],
  ])('is in discovery, and no error, where registration is open: %s, %j', async (setting, supported) => {
    const idp = await startIdp({ settings: { USER_REGISTRATION: setting } });
    await idp.addClient({}, 'shop');
    const metadata = (await (await idp.fetch('/.well-known/openid-configuration')).json()) as Record<
      string,
      string[]
    >;
    expect(metadata.prompt_values_supported?.includes('create')).toBe(supported);
    const page = await idp.browser().get(authorizeUrl('shop', { prompt: 'create' }));
    expect(page.status).toBe(supported ? 200 : 400);
  });
});
