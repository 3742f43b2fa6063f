/** A second factor that is required: SECOND_FACTOR, SECOND_FACTOR_ROLES, SECOND_FACTOR_GRACE_SECONDS. Hardening row 13. */
import { describe, expect, test } from 'vitest';
import * as secondFactors from '../../src/store/second_factors.js';
import * as sessions from '../../src/store/sessions.js';
import { Authenticator } from '../support/authenticator.js';
import { headingOf } from '../support/authorize.js';
import { addApp, codeOnPage, toFactor } from '../support/factors.js';
import { ownClient, startSite } from '../support/first_party.js';
import { authorizeUrl, responseOf } from '../support/flow.js';
import { startIdp } from '../support/idp.js';
import { passkeyFormOf, postPasskey } from '../support/passkeys.js';

async function start(settings: Record<string, string>, roles: readonly string[] = []) {
  const idp = await startIdp({ settings });
  const user = await idp.addUser({ roles });
  await idp.addClient({}, 'shop');
  return { idp, user, living: () => sessions.listByUser(idp.db, user.id, idp.now()) };
}

test.each<[Record<string, string>, readonly string[], boolean, string]>([
  [{}, [], false, 'You are signed in'],
  [{}, [], true, 'Confirm that it is you'],
  [{ SECOND_FACTOR: 'off' }, [], true, 'You are signed in'],
  [{ SECOND_FACTOR: 'required' }, [], false, 'Set up a second factor'],
  [{ SECOND_FACTOR: 'required' }, [], true, 'Confirm that it is you'],
  [{ SECOND_FACTOR_ROLES: 'admin, staff' }, ['staff'], false, 'Set up a second factor'],
  [{ SECOND_FACTOR_ROLES: 'admin' }, ['staff'], false, 'You are signed in'],
  [{ SECOND_FACTOR: 'off', SECOND_FACTOR_ROLES: 'admin' }, ['admin'], true, 'Confirm that it is you'],
])(
  'with %j the password of somebody with the roles %j (has a factor: %s) leads to “%s”',
  async (settings, roles, has, heading) => {
    const { idp, user } = await start(settings, roles);
    if (has) await addApp(idp, user.id);
    expect(headingOf((await toFactor(idp)).page)).toBe(heading);
  },
);

describe('setting one up in the middle of a sign-in', () => {
  test('gives the session, shows recovery codes and leads to the application', async () => {
    const { idp, user, living } = await start({ SECOND_FACTOR: 'required' });
    const { browser, page } = await toFactor(idp, authorizeUrl('shop'));
    expect(await living()).toEqual([]);
    const codes = await browser.submit(page, { code: codeOnPage(page, idp.now()), name: '', action: 'add' });
    expect(headingOf(codes)).toBe('Recovery codes');
    expect(responseOf(await browser.submit(codes, { action: 'keep' })).code).toBeTypeOf('string');
    expect(await living()).toMatchObject([{ amr: 'pwd otp mfa' }]);
    expect(await secondFactors.list(idp.db, user.id)).toHaveLength(1);
  });

  test.each([
    ['a wrong code', { code: '12345', action: 'add' }, 400],
    ['no code', { action: 'add' }, 400],
    ['an empty form', { sealed: '', action: 'add', code: '1' }, 403],
    ['putting it off where that is not allowed', { action: 'later' }, 403],
    ['no action', { code: '' }, 400],
  ])('is not passed over by %s', async (_, fields, status) => {
    const { idp, living } = await start({ SECOND_FACTOR: 'required' });
    const { browser, page } = await toFactor(idp);
    expect((await browser.submit(page, fields)).status).toBe(status);
    expect(await living()).toEqual([]);
  });

  test('is not passed over by the page of another step', async () => {
    const { idp, living } = await start({ SECOND_FACTOR: 'required' });
    const { browser } = await toFactor(idp);
    for (const path of ['/factor', '/', '/account', '/confirm', '/account/security/codes'])
      expect((await browser.get(path)).html).not.toContain('You are signed in');
    expect(await living()).toEqual([]);
  });

  test('may be put off as long as the grace lasts, from the first time on', async () => {
    const { idp, living } = await start({ SECOND_FACTOR: 'required', SECOND_FACTOR_GRACE_SECONDS: '86400' });
    const later = async () => {
      const { browser, page } = await toFactor(idp);
      return browser.submit(page, { action: 'later' });
    };
    expect(headingOf(await later())).toBe('You are signed in');
    idp.advance(86_399);
    expect(headingOf(await later())).toBe('You are signed in');
    idp.advance(1);
    expect((await later()).status).toBe(403);
    expect((await living())[0]).toMatchObject({ amr: 'pwd' });
  });

  test('a person who has a factor cannot put it off instead of proving it', async () => {
    const { idp, user, living } = await start({
      SECOND_FACTOR: 'required',
      SECOND_FACTOR_GRACE_SECONDS: '86400',
    });
    const { browser, page } = await toFactor(idp);
    await addApp(idp, user.id); // in another browser, say
    expect(headingOf(await browser.submit(page, { action: 'later' }))).toBe('Confirm that it is you');
    expect(await living()).toEqual([]);
  });
});

describe('a passkey in the place of an app', () => {
  async function begun() {
    const idp = await startIdp({ host: 'localhost', settings: { SECOND_FACTOR: 'required' } });
    const user = await idp.addUser();
    const { browser, page } = await toFactor(idp);
    const authenticator = new Authenticator({ origin: idp.issuer });
    const form = passkeyFormOf(page.html);
    const living = () => sessions.listByUser(idp.db, user.id, idp.now());
    return { idp, user, browser, form, answer: authenticator.create(form.options), living };
  }

  test('gives the session, as one that resists phishing, and leads to recovery codes', async () => {
    const { idp, user, browser, form, answer, living } = await begun();
    const done = await postPasskey(browser, form, answer);
    expect(done.headers.get('location')).toBe('/account/security/codes?after=sign_in');
    expect(headingOf(await browser.get('/account/security/codes?after=sign_in'))).toBe('Recovery codes');
    expect(await living()).toMatchObject([{ amr: 'pwd pop hwk user mfa', acr: 'phr' }]);
    expect(await secondFactors.list(idp.db, user.id)).toMatchObject([{ type: 'passkey' }]);
  });

  test('that is posted twenty times at once is one, and gives one session', async () => {
    const { idp, user, browser, form, answer, living } = await begun();
    await Promise.all(Array.from({ length: 20 }, () => postPasskey(browser, form, answer)));
    expect([(await living()).length, (await secondFactors.list(idp.db, user.id)).length]).toEqual([1, 1]);
  });

  test.each<[string, (at: Awaited<ReturnType<typeof begun>>) => Promise<string> | string]>([
    ['nothing', () => ''],
    [
      'an answer to another challenge',
      ({ idp, form }) => {
        const authenticator = new Authenticator({ origin: idp.issuer });
        return authenticator.create(form.options, { challenge: 'AAAA' });
      },
    ],
    [
      'one that is too old',
      ({ idp, answer }) => {
        idp.advance(300);
        return answer;
      },
    ],
    [
      'one for the page of another person',
      async ({ idp }) => {
        await idp.addUser({ email: 'eve@example.com' });
        const { page } = await toFactor(idp, '/login', 'eve@example.com');
        return new Authenticator({ origin: idp.issuer }).create(passkeyFormOf(page.html).options);
      },
    ],
  ])('with %s gives none', async (_, answerOf) => {
    const at = await begun();
    const { status } = await postPasskey(at.browser, at.form, await answerOf(at));
    expect([status >= 400 && status < 500, await at.living()]).toEqual([true, []]);
    expect(await secondFactors.list(at.idp.db, at.user.id)).toEqual([]);
  });
});

test('the first-party API signs in while it may be put off, and then sends to the pages', async () => {
  const site = await startSite({
    settings: { SECOND_FACTOR: 'required', SECOND_FACTOR_GRACE_SECONDS: '60' },
  });
  expect(ownClient.first_party).toBe(true);
  expect((await site.app('/users/login', site.credentials)).status).toBe(200);
  site.idp.advance(60);
  const { status, body } = await site.app('/users/login', site.credentials);
  expect([status, body.error, body.mfa_token]).toEqual([401, 'interaction_required', undefined]);
});
