/** Second factors of one's account: set up, named, removed; recovery codes; browsers that are spared them. */
import { describe, expect, test } from 'vitest';
import { setPassword } from '../../../src/actions/users.js';
import * as credentials from '../../../src/store/credentials.js';
import * as rememberedDevices from '../../../src/store/remembered_devices.js';
import * as secondFactors from '../../../src/store/second_factors.js';
import { headingOf, signedInBrowser } from '../../support/authorize.js';
import { formOf, type Page } from '../../support/browser.js';
import {
  addApp,
  addRecoveryCodes,
  codeOnPage,
  proveFactors,
  toFactor,
  typeCode,
} from '../../support/factors.js';
import { signIn } from '../../support/flow.js';
import { type IdpOptions, startIdp } from '../../support/idp.js';
import { mailRows } from '../../support/mails.js';
import { eventsOf } from '../../support/shop.js';

async function start(options: IdpOptions = {}) {
  const idp = await startIdp(options);
  const user = await idp.addUser();
  const browser = await signedInBrowser(idp);
  const factors = () => secondFactors.list(idp.db, user.id);
  const codes = () => credentials.list(idp.db, user.id, 'recovery_code');
  return { idp, user, browser, factors, codes };
}

const codesOn = ({ html }: Page): readonly string[] =>
  (/id="codes">([^<]+)</.exec(html)?.[1] ?? '').split('\n');

describe('an authenticator app', () => {
  test('is set up with its first code; then recovery codes are shown, which count when they are kept', async () => {
    const { idp, user, browser, factors, codes } = await start();
    const page = await browser.get('/account/security/app');
    expect(page.html).toMatch(/<img class="qr" src="data:image\/svg\+xml,/);
    const cookie = browser.cookies.get('sallyport_session');
    const shown = await browser.submit(page, { name: ' My\nphone ', code: codeOnPage(page, idp.now()) });
    expect([headingOf(shown), (await codes()).length]).toEqual(['Recovery codes', 0]);
    expect(browser.cookies.get('sallyport_session')).not.toBe(cookie);
    expect(await factors()).toMatchObject([{ type: 'totp', name: 'My phone', created_at: idp.now() }]);
    const file = await browser.submit(shown, { action: 'download' });
    expect(file.headers.get('content-disposition')).toBe('attachment; filename="recovery-codes.txt"');
    for (const code of codesOn(shown)) expect(file.html).toContain(code);
    await browser.submit(shown, { action: 'keep' });
    expect(await codes()).toHaveLength(10);
    expect(await eventsOf(idp, 'factor_added')).toMatchObject([{ user_id: user.id, detail: 'totp' }]);

    const again = await toFactor(idp);
    const way = { way: 'recovery_code', code: codesOn(shown)[3] ?? '', action: 'continue' };
    expect(headingOf(await again.browser.submit(again.page, way))).toBe('You are signed in');
    expect(await codes()).toHaveLength(9);
    const told = (await mailRows(idp)).map(({ name }) => name);
    expect(told).toEqual(expect.arrayContaining(['totp_added', 'recovery_codes_made', 'recovery_code_used']));
  });

  test('is not set up by a wrong code, and the same key is asked for again', async () => {
    const { idp, browser, factors } = await start();
    const page = await browser.get('/account/security/app');
    const again = await browser.submit(page, { name: 'Phone', code: '12345' });
    expect([again.status, await factors()]).toEqual([400, []]);
    expect(codeOnPage(again, idp.now())).toBe(codeOnPage(page, idp.now()));
    await browser.submit(again, { code: codeOnPage(page, idp.now()) });
    expect(await factors()).toHaveLength(1);
  });

  test('is one however often its form is sent, at once or again', async () => {
    const { idp, browser, factors } = await start();
    const page = await browser.get('/account/security/app');
    const { action, hidden } = formOf(page.html);
    const body = new URLSearchParams({ ...hidden, code: codeOnPage(page, idp.now()) });
    await Promise.all(Array.from({ length: 20 }, () => browser.request(action, { method: 'POST', body })));
    expect(await factors()).toHaveLength(1);
  });

  test.each([
    ['too late', 900, 403],
    ['in time', 899, 403],
  ])('needs a proof that is recent: %s', async (_, seconds) => {
    const { idp, browser, factors } = await start();
    const page = await browser.get('/account/security/app');
    idp.advance(seconds);
    const answer = await browser.submit(page, { code: codeOnPage(page, idp.now()) });
    expect([headingOf(answer), await factors()]).toEqual(['Confirm that it is you', []]);
  });

  test('of somebody else’s form is not added', async () => {
    const { idp, browser } = await start();
    const eve = await idp.addUser({ email: 'eve@example.com' });
    const hers = await signedInBrowser(idp, 'eve@example.com');
    const page = await browser.get('/account/security/app');
    const { sealed = '' } = formOf(page.html).hidden;
    const own = await hers.get('/account/security/app');
    const answer = await hers.submit(own, { sealed, code: codeOnPage(page, idp.now()) });
    expect([answer.status, await secondFactors.list(idp.db, eve.id)]).toEqual([403, []]);
  });

  test('is named and removed by its owner alone, and the last one takes the recovery codes with it', async () => {
    const { idp, user, browser, factors, codes } = await start();
    const { id } = await addApp(idp, user.id);
    await addRecoveryCodes(idp, user.id);
    await proveFactors(idp, user.id);
    const eve = await idp.addUser({ email: 'eve@example.com' });
    const hers = await addApp(idp, eve.id);
    const page = await browser.get('/account/security');
    expect((await browser.submit(page, { id: hers.id, name: 'Mine now', action: 'rename' })).status).toBe(
      404,
    );
    await browser.submit(page, { name: 'Old phone', action: 'rename' });
    expect(await factors()).toMatchObject([{ id, name: 'Old phone' }]);
    const asked = await browser.get(`/account/security/remove?id=${id}`);
    expect(asked.html).toContain('your only second factor');
    expect((await browser.submit(asked, { id: hers.id })).status).toBe(404);
    await browser.submit(asked, {});
    expect([await factors(), await codes(), (await secondFactors.list(idp.db, eve.id)).length]).toEqual([
      [],
      [],
      1,
    ]);
  });

  test('is not removed where it is the last one and one is required: of two at once one stays', async () => {
    const { idp, user, factors, browser } = await start({ settings: { SECOND_FACTOR_ROLES: 'x' } });
    const strict = await idp.addUser({ email: 'strict@example.com', roles: ['x'] });
    const apps = [await addApp(idp, strict.id), await addApp(idp, strict.id)];
    const { browser: own, page } = await toFactor(idp, '/login', 'strict@example.com');
    await typeCode(own, page, apps[0]?.code() ?? '');
    const asked = await own.get(`/account/security/remove?id=${apps[0]?.id}`);
    const { action, hidden } = formOf(asked.html);
    const remove = (id = '') =>
      own.request(action, { method: 'POST', body: new URLSearchParams({ ...hidden, id }) });
    const answers = await Promise.all(apps.map(({ id }) => remove(id)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([303, 403]);
    expect(await secondFactors.list(idp.db, strict.id)).toHaveLength(1);
    expect([user.id, await factors(), browser.cookies.size > 0]).toEqual([user.id, [], true]);
  });
});

describe('a browser that is spared the second factor', () => {
  async function remembered(options: IdpOptions = {}) {
    const idp = await startIdp(options);
    const user = await idp.addUser();
    const app = await addApp(idp, user.id);
    const { browser, page } = await toFactor(idp);
    await browser.submit(page, { code: app.code(), remember: 'yes', action: 'continue' });
    browser.cookies.delete('sallyport_session');
    const again = async (email = 'ada@example.com') =>
      headingOf(await signIn(browser, await browser.get('/login'), { email }));
    return { idp, user, app, browser, again };
  }

  test('is asked for the password alone, for thirty days', async () => {
    const { idp, browser, again } = await remembered();
    expect(await again()).toBe('You are signed in');
    browser.cookies.delete('sallyport_session');
    idp.advance(30 * 86_400);
    expect(await again()).toBe('Confirm that it is you');
  });

  test('is spared that of its own person alone, and no other browser is', async () => {
    const { idp, again } = await remembered();
    const eve = await idp.addUser({ email: 'eve@example.com' });
    await addApp(idp, eve.id);
    expect(await again('eve@example.com')).toBe('Confirm that it is you');
    expect(headingOf((await toFactor(idp)).page)).toBe('Confirm that it is you');
  });

  test.each<[string, (at: Awaited<ReturnType<typeof remembered>>) => Promise<unknown>]>([
    [
      'another second factor is added',
      async ({ idp, user }) => {
        const browser = await (async () => {
          const { browser: other, page } = await toFactor(idp);
          await other.submit(page, {
            code: (await addRecoveryCodes(idp, user.id))[0],
            way: 'recovery_code',
            action: 'continue',
          });
          return other;
        })();
        const page = await browser.get('/account/security/app');
        await browser.submit(page, { code: codeOnPage(page, idp.now()) });
      },
    ],
    [
      'its owner forgets it',
      async ({ idp, user, browser, again }) => {
        await again();
        const [device] = await rememberedDevices.list(idp.db, user.id, idp.now());
        const page = await browser.get('/account/security');
        await browser.submit(page, { id: device?.id ?? '', action: 'forget' });
        browser.cookies.delete('sallyport_session');
      },
    ],
    [
      'its mark is another’s',
      async ({ browser }) => {
        const mark = browser.cookies.get('sallyport_remembered') ?? '';
        browser.cookies.set('sallyport_remembered', `${'A'.repeat(43)}${mark.slice(43)}`);
      },
    ],
  ])('is so no more when %s', async (_, change) => {
    const at = await remembered();
    await change(at);
    expect(await at.again()).toBe('Confirm that it is you');
  });

  test('is so no more after a new password', async () => {
    const { idp, user, browser } = await remembered();
    await setPassword(idp.deps, user.id, 'another good password', idp.now());
    const page = await signIn(browser, await browser.get('/login'), { password: 'another good password' });
    expect(headingOf(page)).toBe('Confirm that it is you');
  });

  test('there is none where that is switched off', async () => {
    const { again, browser } = await remembered({ settings: { REMEMBER_DEVICE_SECONDS: '0' } });
    expect([browser.cookies.has('sallyport_remembered'), await again()]).toEqual([
      false,
      'Confirm that it is you',
    ]);
  });
});
