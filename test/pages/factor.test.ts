/** The page of the second factor: what leads to it, what leads on. Hardening rows 9, 13 and 14. */
import { describe, expect, test } from 'vitest';
import { disableUser, setPassword } from '../../src/actions/users.js';
import * as sessions from '../../src/store/sessions.js';
import { ask, codeOf, headingOf, kindOf, signedInBrowser } from '../support/authorize.js';
import { formOf } from '../support/browser.js';
import { engines } from '../support/database.js';
import { addApp, addRecoveryCodes, toFactor, typeCode, wrongCode } from '../support/factors.js';
import { authorizeUrl, redeem, responseOf, signIn } from '../support/flow.js';
import { type IdpOptions, startIdp } from '../support/idp.js';

async function start(options: IdpOptions = {}) {
  const idp = await startIdp(options);
  const user = await idp.addUser();
  const app = await addApp(idp, user.id);
  const shop = await idp.addClient({}, 'shop');
  return { idp, user, app, shop };
}

describe.each(engines)('a person with an authenticator app, on %s', (engine) => {
  test('has no session after the password, and one after the code', async () => {
    const { idp, user, app } = await start({ engine });
    const { browser, page } = await toFactor(idp);
    expect([page.status, headingOf(page), browser.cookies.has('sallyport_session')]).toEqual([
      200,
      'Confirm that it is you',
      false,
    ]);
    expect(await sessions.listByUser(idp.db, user.id, idp.now())).toEqual([]);
    const done = await typeCode(browser, page, app.code());
    expect(headingOf(done)).toBe('You are signed in');
    const [session] = await sessions.listByUser(idp.db, user.id, idp.now());
    expect(session).toMatchObject({
      amr: 'pwd otp mfa',
      acr: 'urn:sallyport:acr:two-factor',
      auth_time: idp.now(),
      proven_at: idp.now(),
    });
    expect(browser.cookies.has('sallyport_sign_in')).toBe(false);
  });

  test('of twenty right codes at once one gives a session', async () => {
    const { idp, user } = await start({ engine });
    const codes = await addRecoveryCodes(idp, user.id);
    const { browser, page } = await toFactor(idp);
    const { hidden } = formOf(page.html);
    const post = (code: string) =>
      browser.request('/factor', {
        method: 'POST',
        body: new URLSearchParams({ ...hidden, way: 'recovery_code', code, action: 'continue' }),
      });
    await Promise.all(Array.from({ length: 20 }, (_, i) => post(codes[i % 10] ?? '')));
    expect(await sessions.listByUser(idp.db, user.id, idp.now())).toHaveLength(1);
  });
});

test('an application gets its code after it, with what was proved: amr, acr and the time', async () => {
  const { idp, app, shop } = await start();
  const { browser, page } = await toFactor(idp, authorizeUrl('shop'));
  idp.advance(20);
  const { body } = await redeem(idp, shop, responseOf(await typeCode(browser, page, app.code())).code ?? '');
  const claims = JSON.parse(Buffer.from(body.id_token.split('.')[1], 'base64url').toString());
  expect(claims).toMatchObject({
    amr: ['pwd', 'otp', 'mfa'],
    acr: 'urn:sallyport:acr:two-factor',
    auth_time: idp.now(),
  });
});

test.each([
  ['no code', {}, 400],
  ['an empty one', { code: '' }, 400],
  ['a wrong one', { code: '000000x' }, 400],
  ['one that is sent twice', { code: ['1', '2'] }, 400],
  ['one for a way that there is not', { way: 'magic', code: 'x' }, 400],
  ['another’s form', { csrf: 'x'.repeat(43), code: 'x' }, 403],
])('%s gives no session, but the form again (hardening row 13)', async (_, fields, status) => {
  const { idp, user } = await start();
  const { browser, page } = await toFactor(idp);
  expect((await browser.submit(page, { action: 'continue', ...fields })).status).toBe(status);
  expect(await sessions.listByUser(idp.db, user.id, idp.now())).toEqual([]);
});

describe('a sign-in under way', () => {
  test('is over after ten minutes, and leads to the login page again', async () => {
    const { idp, user, app } = await start();
    const { browser, page } = await toFactor(idp, authorizeUrl('shop'));
    idp.advance(600);
    expect(kindOf(await typeCode(browser, page, app.code()))).toBe('/login');
    expect(await sessions.listByUser(idp.db, user.id, idp.now())).toEqual([]);
  });

  test('goes on from another tab that asks for the same', async () => {
    const { idp } = await start();
    const { browser } = await toFactor(idp, authorizeUrl('shop'));
    expect(kindOf(await ask(browser, 'shop'))).toBe('/factor');
    expect(kindOf(await ask(browser, 'shop', { prompt: 'login' }))).toBe('/login');
    expect(responseOf(await ask(browser, 'shop', { prompt: 'none' })).error).toBe('login_required');
  });

  test('is not somebody else’s: the cookie of another browser is needed (hardening row 9)', async () => {
    const { idp, app } = await start();
    const { page } = await toFactor(idp);
    const thief = idp.browser();
    await thief.get('/login');
    expect(kindOf(await typeCode(thief, page, app.code()))).toBe('/login');
  });

  test('has another cookie at each step, and the session yet another', async () => {
    const { idp, app } = await start();
    const { browser, page } = await toFactor(idp);
    const first = browser.cookies.get('sallyport_sign_in');
    const again = await signIn(browser, await browser.get('/login'));
    const second = browser.cookies.get('sallyport_sign_in');
    await typeCode(browser, again, app.code());
    expect(new Set([first, second, browser.cookies.get('sallyport_session')]).size).toBe(3);
    browser.cookies.set('sallyport_sign_in', second ?? '');
    idp.advance(60);
    browser.cookies.delete('sallyport_session');
    expect(kindOf(await typeCode(browser, page, app.code()))).toBe('/login'); // used up
  });

  test.each<[string, (at: Awaited<ReturnType<typeof start>>) => Promise<unknown>]>([
    [
      'the password is changed',
      ({ idp, user }) => setPassword(idp.deps, user.id, 'another good password', idp.now()),
    ],
    ['the person is disabled', ({ idp, user }) => disableUser(idp.deps, user.id, idp.now())],
  ])('ends when %s', async (_, change) => {
    const at = await start();
    const { browser, page } = await toFactor(at.idp);
    await change(at);
    expect(kindOf(await typeCode(browser, page, at.app.code()))).toBe('/login');
  });

  test('is forgotten by whoever starts again', async () => {
    const { idp, app } = await start();
    const { browser, page } = await toFactor(idp);
    expect(kindOf(await browser.submit(page, { action: 'restart' }))).toBe('/login');
    expect(kindOf(await typeCode(browser, page, app.code()))).toBe('/login');
  });

  test('is given up by whoever goes back to the application', async () => {
    const { idp } = await start();
    const { browser, page } = await toFactor(idp, authorizeUrl('shop'));
    expect(responseOf(await browser.submit(page, { action: 'cancel' })).error).toBe('access_denied');
    expect(browser.cookies.has('sallyport_sign_in')).toBe(false);
  });
});

describe('guessing codes (hardening row 14)', () => {
  test('ends after five in a sign-in, and after ten over all, however often it is begun anew; a recovery code is still taken', async () => {
    const { idp, user, app } = await start();
    const codes = await addRecoveryCodes(idp, user.id);
    const statuses: number[] = [];
    for (let begun = 0; begun < 3; begun += 1) {
      const { browser, page } = await toFactor(idp);
      for (let guess = 0; guess < 6; guess += 1)
        statuses.push((await typeCode(browser, page, wrongCode(app))).status);
    }
    const five = [400, 400, 400, 400, 400];
    expect(statuses).toEqual([...five, 429, ...five, 429, ...Array(6).fill(429)]);
    const { browser, page } = await toFactor(idp);
    expect((await typeCode(browser, page, app.code())).status).toBe(429);
    const done = await browser.submit(page, { way: 'recovery_code', code: codes[0], action: 'continue' });
    expect(headingOf(done)).toBe('You are signed in');
  });

  test('twenty at the same moment are five', async () => {
    const { idp, app } = await start();
    const { browser, page } = await toFactor(idp);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => typeCode(browser, page, wrongCode(app))),
    );
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(5);
  });

  test('right codes are not counted', async () => {
    const { idp, app } = await start();
    for (let times = 0; times < 12; times += 1) {
      idp.advance(60);
      const { browser, page } = await toFactor(idp);
      expect(headingOf(await typeCode(browser, page, app.code()))).toBe('You are signed in');
    }
  });
});

describe('a stronger session (step-up)', () => {
  const two = 'urn:sallyport:acr:two-factor';
  const essential = JSON.stringify({ id_token: { acr: { essential: true, value: two } } });

  async function weak() {
    const idp = await startIdp();
    const user = await idp.addUser();
    const shop = await idp.addClient({}, 'shop');
    const browser = await signedInBrowser(idp);
    const app = await addApp(idp, user.id);
    return { idp, user, shop, browser, app };
  }

  test.each([
    ['acr_values', { acr_values: `urn:other ${two}` }],
    ['an essential acr', { claims: essential }],
  ])(
    '%s asks for the missing factor alone; sid and auth_time stay, the cookie does not (hardening row 9)',
    async (_, changes) => {
      const { idp, user, shop, browser, app } = await weak();
      const [before] = await sessions.listByUser(idp.db, user.id, idp.now());
      const cookie = browser.cookies.get('sallyport_session');
      const page = await ask(browser, 'shop', changes);
      expect(kindOf(page)).toBe('/factor');
      const done = await typeCode(browser, page, app.code());
      const { body } = await redeem(idp, shop, codeOf(done));
      const claims = JSON.parse(Buffer.from(body.id_token.split('.')[1], 'base64url').toString());
      expect(claims).toMatchObject({ acr: two, amr: ['pwd', 'otp', 'mfa'], auth_time: before?.auth_time });
      const [after] = await sessions.listByUser(idp.db, user.id, idp.now());
      expect([after?.id, after?.auth_time, after?.proven_at]).toEqual([
        before?.id,
        before?.auth_time,
        idp.now(),
      ]);
      expect(browser.cookies.get('sallyport_session')).not.toBe(cookie);
      expect(codeOf(await ask(browser, 'shop', changes))).toBeTypeOf('string'); // it is there now
    },
  );

  test('wrong codes count, and leave the session as it was', async () => {
    const { idp, user, browser, app } = await weak();
    const page = await ask(browser, 'shop', { claims: essential });
    const again = await typeCode(browser, page, wrongCode(app));
    expect([again.status, kindOf(again)]).toEqual([400, '/factor']);
    expect(codeOf(await typeCode(browser, again, app.code()))).toBeTypeOf('string');
    expect(await sessions.listByUser(idp.db, user.id, idp.now())).toHaveLength(1);
  });

  test('silently nothing is asked: what is wanted is left be, what is essential is refused', async () => {
    const { browser } = await weak();
    const silent = { prompt: 'none' };
    expect(codeOf(await ask(browser, 'shop', { ...silent, acr_values: two }))).toBeTypeOf('string');
    expect(responseOf(await ask(browser, 'shop', { ...silent, claims: essential })).error).toBe(
      'interaction_required',
    );
  });

  test('a person without a factor is let in where it is wanted, and refused where it is essential', async () => {
    const idp = await startIdp();
    await idp.addUser();
    await idp.addClient({}, 'shop');
    const browser = await signedInBrowser(idp);
    expect(codeOf(await ask(browser, 'shop', { acr_values: two }))).toBeTypeOf('string');
    expect(responseOf(await ask(browser, 'shop', { claims: essential })).error).toBe(
      'unmet_authentication_requirements',
    );
  });

  test('does not outlive the session, and does not become another’s', async () => {
    const { idp, browser, app } = await weak();
    const page = await ask(browser, 'shop', { claims: essential });
    await typeCode(browser, page, wrongCode(app));
    browser.cookies.delete('sallyport_session');
    expect(kindOf(await typeCode(browser, page, app.code()))).toBe('/login');
    const { id } = await idp.addUser({ email: 'eve@example.com' });
    await signIn(browser, await browser.get('/login'), { email: 'eve@example.com' });
    expect(responseOf(await typeCode(browser, page, app.code())).error).toBe(
      'unmet_authentication_requirements',
    );
    expect((await sessions.listByUser(idp.db, id, idp.now()))[0]?.amr).toBe('pwd');
  });
});
