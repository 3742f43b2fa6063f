import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { type SignIn, signIn as signInWith } from '../../src/actions/password_sign_in.js';
import { offerClaim } from '../../src/actions/setup.js';
import { setPassword } from '../../src/actions/users.js';
import { hashPassword } from '../../src/factors/password.js';
import { UserError } from '../../src/oauth/errors.js';
import * as credentials from '../../src/store/credentials.js';
import { engines } from '../support/database.js';
import { authorizeUrl, getTokens, signIn } from '../support/flow.js';
import { countingGate, password, startIdp, type TestIdp } from '../support/idp.js';
import { recording } from '../support/recording.js';

async function tries(idp: TestIdp, attempt: { readonly email?: string; readonly password?: string } = {}) {
  const browser = idp.browser();
  return signIn(browser, await browser.get('/login'), attempt);
}

describe('the login page', () => {
  test('has what password managers look for, and needs no script (HTTP-18)', async () => {
    const idp = await startIdp();
    const { status, html } = await idp.browser().get('/login');
    expect(status).toBe(200);
    expect(html).toMatch(/<form method="post" action="\/login">/);
    expect(html).toMatch(
      /<label for="email">[\s\S]*<input id="email" name="email"[^>]*autocomplete="username"/,
    );
    expect(html).toMatch(
      /<label for="password">[\s\S]*<input id="password" name="password" type="password" autocomplete="current-password"/,
    );
    expect(html).toMatch(/<button[^>]*name="action" value="sign_in" id="sign-in"/);
  });

  test.each<[string, object, string]>([
    ['no address', { email: undefined }, 'email'],
    ['no password', { password: undefined }, 'password'],
    ['a wrong password', { password: 'wrong' }, 'password'],
    ['an address that nobody has', { email: 'nobody@example.com' }, 'password'],
  ])('with %s: 400, the form again, the error at its field (HTTP-18)', async (_, change, field) => {
    const idp = await startIdp();
    await idp.addUser();
    const browser = idp.browser();
    const form = { email: 'ada@example.com', password, action: 'sign_in', ...change };
    const page = await browser.submit(await browser.get('/login'), form);
    expect(page.status).toBe(400);
    expect(page.html).toMatch(new RegExp(`id="${field}"[^>]*aria-describedby="[^"]*${field}-error`));
    expect(browser.cookies.has('sallyport_session')).toBe(false);
  });

  test('answers a sign-in with 303, never with a redirect that keeps the password (HTTP-12)', async () => {
    const idp = await startIdp();
    await idp.addUser();
    await idp.addClient({}, 'shop');
    const browser = idp.browser();
    const statuses: number[] = [];
    const request = browser.request.bind(browser);
    browser.request = async (...asked) => {
      const page = await request(...asked);
      statuses.push(page.status);
      return page;
    };
    await signIn(browser, await browser.get(authorizeUrl('shop')));
    expect(statuses).toEqual([303, 200, 303, 303]);
  });

  test('a sign-in that is sent twice at once is one sign-in', async () => {
    const idp = await startIdp();
    await idp.addUser();
    const browser = idp.browser();
    const page = await browser.get('/login');
    const answers = await Promise.all([signIn(browser, page), signIn(browser, page)]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect((await browser.get('/')).html).toContain('You are signed in');
  });
});

describe('a password', () => {
  test.each([
    ['of 1,024 bytes', 'x'.repeat(1024)],
    ['of 1,024 bytes in other letters than ASCII', 'ü'.repeat(512)],
    ['with spaces at its ends', '  a secret  '],
    ['with what HTML and URLs escape', '&<>"\'%+=;/\\?#'],
  ])('%s is taken to the last byte', async (_, secret) => {
    const idp = await startIdp();
    await idp.addUser({ password: secret });
    expect((await tries(idp, { password: secret })).status).toBe(200);
    expect((await tries(idp, { password: secret.slice(0, -1) })).status).toBe(400);
    expect((await tries(idp, { password: `${secret.slice(0, -1)}?` })).status).toBe(400);
  });

  test('of 1,025 bytes is refused, although its first 1,024 are right: nothing is cut off', async () => {
    const idp = await startIdp();
    await idp.addUser({ password: 'x'.repeat(1024) });
    expect((await tries(idp, { password: 'x'.repeat(1025) })).status).toBe(400);
    expect((await tries(idp, { password: 'x'.repeat(60_000) })).status).toBe(400);
  });

  test.each([
    ['NFC', 'NFD'],
    ['NFD', 'NFC'],
  ] as const)('set in %s is right in %s, as another keyboard sends it', async (set, sent) => {
    const secret = 'pässwörd, ångström';
    const idp = await startIdp();
    await idp.addUser({ password: secret.normalize(set) });
    expect((await tries(idp, { password: secret.normalize(sent) })).status).toBe(200);
  });
});

describe.each(engines)('a hash that was made with other parameters, on %s', (engine) => {
  async function outdated(options: Parameters<typeof startIdp>[0] = {}) {
    const idp = await startIdp({ engine, ...options });
    const { id } = await idp.addUser();
    const before = await credentials.find(idp.db, id, 'password');
    const weaker = { ...idp.config, ARGON2_MEMORY_KIB: 7168, ARGON2_PASSES: 2, ARGON2_LANES: 1 };
    const secret = await hashPassword(countingGate(), weaker, password);
    await credentials.renew(idp.db, before?.id ?? '', before?.secret ?? '', secret, idp.now());
    const current = async () => (await credentials.find(idp.db, id, 'password'))?.secret ?? '';
    return { idp, user_id: id, secret, current };
  }

  test('is renewed at the next sign-in, and only then', async () => {
    const { idp, secret, current } = await outdated();
    await tries(idp, { password: 'wrong' });
    expect(await current()).toBe(secret);

    expect((await tries(idp)).status).toBe(200);
    const renewed = await current();
    expect(renewed.split('$')[3]?.split(',').sort()).toEqual(['m=7168', 'p=1', 't=1']);
    expect((await tries(idp)).status).toBe(200);
    expect(await current()).toBe(renewed);
  });

  test('is left as it is where the queue of hashes is full: the sign-in goes on', async () => {
    const gate = countingGate();
    const hash = () => Promise.reject(new UserError('busy', 'login.busy'));
    const { idp, secret, current } = await outdated({ substitutes: { hashing: { ...gate, hash } } });
    expect((await tries(idp)).status).toBe(200);
    expect(await current()).toBe(secret);
  });

  test('does not bring back an old password that was changed while it was being checked', async () => {
    const gate = countingGate();
    let change = async () => {};
    const verify = async (hash: string, sent: string) => {
      const fits = await gate.verify(hash, sent);
      await change();
      return fits;
    };
    const { idp, user_id } = await outdated({ substitutes: { hashing: { ...gate, verify } } });
    change = () => setPassword(idp.deps, user_id, 'quite another password', idp.now());
    const browser = idp.browser();
    expect((await signIn(browser, await browser.get('/login'))).status).toBe(400);
    expect(browser.cookies.has('sallyport_session')).toBe(false);
    change = async () => {};
    expect((await tries(idp, { password: 'quite another password' })).status).toBe(200);
  });
});

describe('an address that nobody has', () => {
  test('costs the same as a wrong password: one hash, the same statements in the same order (hardening 16)', async () => {
    const known = await workOf('ada@example.com');
    const unknown = await workOf('nobody@example.com');
    expect(known.hashes).toEqual([['argon2id', 'm=7168', 'p=1', 't=1', 'v=19']]); // one
    expect(unknown.hashes).toEqual(known.hashes);
    expect(known.statements).toHaveLength(3 + 3); // who, their password, somebody’s in its place, three counters
    expect(unknown.statements).toEqual(known.statements);
  });

  /** What a sign-in with a wrong password does. */
  async function workOf(email: string) {
    const idp = await startIdp();
    await idp.addUser();
    const gate = countingGate();
    const parameters: string[][] = [];
    const verify = (hash: string, sent: string) => {
      parameters.push(hash.split(/[$,]/).slice(1, 6).sort());
      return gate.verify(hash, sent);
    };
    const { db, statements } = recording(idp.db);
    const request: SignIn = {
      email,
      password: 'wrong',
      source: '4:127.0.0',
      visit: { user_agent: '', address: '127.0.0.1', ring: await idp.deps.keys.get(), knows: () => false },
      device: () => null,
      remembered: () => null,
      current: null,
      request_id: null,
    };
    const deps = { ...idp.deps, db, hashing: { ...gate, verify } };
    await expect(signInWith(deps, request, idp.now())).rejects.toMatchObject({ code: 'wrong_credentials' });
    return { hashes: parameters, statements };
  }
});

test('no password, cookie, code or token is ever logged (INT-13, BCP-07)', async () => {
  const idp = await startIdp();
  await idp.addUser();
  const shop = await idp.addClient({}, 'shop');
  const link = await offerClaim(idp.deps, idp.now());
  const claim_token = new URL(link ?? '').searchParams.get('token') ?? '';
  await idp.browser().get(`/claim?token=${claim_token}`);
  await tries(idp, { password: 'my other password' });
  await tries(idp, { email: 'ada@example.com my password in the wrong field' });
  const browser = idp.browser();
  const tokens = await getTokens(idp, shop, { scope: 'openid offline_access' }, browser);
  await idp.userinfo(tokens.access_token);
  await idp.userinfo(`${tokens.access_token}x`);
  await idp.token({
    grant_type: 'refresh_token',
    refresh_token: tokens.refresh_token,
    client_secret: 'wrong-secret',
  });
  await browser.get(`/logout?id_token_hint=${tokens.id_token}&client_id=other`);

  const log = inspect(idp.logged, { depth: null, maxArrayLength: null, maxStringLength: null });
  const { access_token, id_token, refresh_token } = tokens;
  const secrets = { access_token, id_token, refresh_token, claim_token, client_secret: shop.client_secret };
  for (const [name, value] of [...Object.entries(secrets), ...browser.cookies])
    expect(log.includes(value ?? name), name).toBe(false);
  for (const typed of [password, 'my other password', 'my password in the wrong field', 'wrong-secret'])
    expect(log.includes(typed), typed).toBe(false);
  expect(log).toContain('sign_in_failed'); // it was a log
});
