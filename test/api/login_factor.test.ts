/** POST /users/login/factor: a person with a second factor at the first-party API. Decisions 29; hardening rows 13 and 14. */
import { decodeJwt } from 'jose';
import { describe, expect, test } from 'vitest';
import { setPassword } from '../../src/actions/users.js';
import * as sessions from '../../src/store/sessions.js';
import { addApp, addRecoveryCodes, wrongCode } from '../support/factors.js';
import { origin, ownClient, type SiteOptions, startSite } from '../support/first_party.js';
import { givePasskey } from '../support/passkeys.js';

async function start(options: SiteOptions = {}) {
  const site = await startSite(options);
  const app = await addApp(site.idp, site.user.id);
  const begin = async (changes: object = {}) =>
    (await site.app('/users/login', { ...site.credentials, ...changes })).body;
  const prove = (body: object) => site.app('/users/login/factor', { client_id: 'site', ...body });
  return {
    ...site,
    app,
    begin,
    prove,
    living: () => sessions.listByUser(site.idp.db, site.user.id, site.idp.now()),
  };
}

test('the password alone gives no token and no session: 401 mfa_required, with the ways that the person has', async () => {
  const { idp, user, app: device, begin, living } = await start();
  expect(await begin()).toEqual({
    ...{
      error: 'mfa_required',
      error_description: expect.any(String),
      error_uri: `${idp.issuer}/errors#mfa_required`,
    },
    ...{ mfa_token: expect.stringMatching(/^[\w.-]+$/), mfa_methods: ['totp'] },
  });
  await addRecoveryCodes(idp, user.id);
  expect((await begin()).mfa_methods).toEqual(['totp', 'recovery_code']);
  expect([await living(), device.code()]).toEqual([[], expect.any(String)]);
});

test('a passkey is asked for by pages of the server alone: it is none of the ways here', async () => {
  const { idp, user, begin } = await start({ host: 'localhost' });
  await givePasskey(idp, user);
  expect((await begin()).mfa_methods).toEqual(['totp']);
});

test('the code gives what was asked for with the password, and says what was proved', async () => {
  const { app, begin, prove, idp } = await start();
  const { mfa_token } = await begin({ scope: 'openid email' });
  const { status, body } = await prove({ mfa_token, totp: app.code() });
  expect([status, body.scope]).toEqual([200, 'openid email']);
  expect(decodeJwt(body.access_token)).toMatchObject({
    amr: ['pwd', 'otp', 'mfa'],
    acr: 'urn:sallyport:acr:two-factor',
    auth_time: idp.now(),
  });
  expect((await prove({ mfa_token, totp: app.code(1) })).body.error).toBe('invalid_grant'); // used up
});

test('in cookie mode the cookies come with the second step, and only to a page of the client', async () => {
  const { idp, page, app, credentials } = await start();
  const browser = idp.browser();
  const { body } = await page(browser, '/users/login', credentials);
  expect(browser.cookies.size).toBe(0);
  const proof = { mfa_token: body.mfa_token, totp: app.code() };
  expect((await page(browser, '/users/login/factor', proof, { origin: 'https://evil.example' })).status).toBe(
    403,
  );
  const { status, body: told } = await page(browser, '/users/login/factor', proof, { origin });
  expect([status, told]).toEqual([200, { expires_in: 600, scope: expect.any(String) }]);
  expect([...browser.cookies.keys()]).toContain('sallyport_access');
});

describe('no step can be skipped', () => {
  test.each<[string, object, string]>([
    ['no handle', { mfa_token: undefined }, 'invalid_request'],
    ['an empty handle', { mfa_token: '' }, 'invalid_request'],
    ['a made-up handle', { mfa_token: 'a.b' }, 'invalid_grant'],
    ['no code', { totp: undefined }, 'invalid_request'],
    ['an empty code', { totp: '' }, 'invalid_request'],
    ['two ways', { recovery_code: 'x' }, 'invalid_request'],
    ['a way that there is not', { totp: undefined, password: 'x' }, 'invalid_request'],
    ['a wrong code', { totp: '000000x' }, 'invalid_grant'],
    ['another client', { client_id: 'other' }, 'invalid_grant'],
  ])('by %s', async (_, change, error) => {
    const { idp, app, begin, prove, living } = await start();
    await idp.addClient(ownClient, 'other');
    const { mfa_token } = await begin();
    const { status, body } = await prove({ mfa_token, totp: app.code(), ...change });
    expect([status, body.error, body.access_token]).toEqual([400, error, undefined]);
    expect(await living()).toEqual([]);
  });

  test('by waiting, or after a new password', async () => {
    const { idp, user, app, begin, prove } = await start();
    const { mfa_token: old } = await begin();
    idp.advance(600);
    expect((await prove({ mfa_token: old, totp: app.code() })).body.error).toBe('invalid_grant');
    const { mfa_token } = await begin();
    await setPassword(idp.deps, user.id, 'another good password', idp.now());
    expect((await prove({ mfa_token, totp: app.code() })).body.error).toBe('invalid_grant');
  });

  test('by guessing: five for a handle', async () => {
    const { app, begin, prove } = await start();
    const { mfa_token } = await begin();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => prove({ mfa_token, totp: wrongCode(app) })),
    );
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(5);
    expect((await prove({ mfa_token, totp: app.code() })).status).toBe(429);
  });
});
