/** A passkey as the second factor, at /factor. WebAuthn §7.2; hardening rows 9, 13 and 14. */
import { describe, expect, test } from 'vitest';
import * as passkeys from '../../src/store/passkeys.js';
import * as sessions from '../../src/store/sessions.js';
import type { Changes } from '../support/authenticator.js';
import { ask, headingOf, kindOf } from '../support/authorize.js';
import { engines } from '../support/database.js';
import { addRecoveryCodes, toFactor, typeCode } from '../support/factors.js';
import { authorizeUrl, redeem, responseOf, signIn } from '../support/flow.js';
import { type IdpOptions, startIdp, type TestIdp } from '../support/idp.js';
import { givePasskey, passkeyFormOf, postPasskey } from '../support/passkeys.js';

async function start(options: IdpOptions = {}) {
  const idp = await startIdp({ host: 'localhost', ...options });
  const ada = await idp.addUser();
  const { authenticator } = await givePasskey(idp, ada);
  const shop = await idp.addClient({}, 'shop');
  return { idp, ada, authenticator, shop };
}

const sessionsOf = (idp: TestIdp, user_id: string) => sessions.listByUser(idp.db, user_id, idp.now());

const claimsOf = (id_token: string) =>
  JSON.parse(Buffer.from(id_token.split('.')[1] ?? '', 'base64url').toString());

describe.each(engines)('after the password, on %s', (engine) => {
  test('one of the person’s passkeys is asked for, and gives the session that the password alone did not', async () => {
    const { idp, ada, authenticator } = await start({ engine });
    const { browser, page } = await toFactor(idp);
    expect([kindOf(page), await sessionsOf(idp, ada.id)]).toEqual(['/factor', []]);
    const form = passkeyFormOf(page.html);
    expect(form.options).toMatchObject({
      userVerification: 'preferred',
      allowCredentials: [{ id: authenticator.credential_id }],
    });
    const { status, headers } = await postPasskey(browser, form, authenticator.get(form.options));
    expect([status, headers.get('location')]).toEqual([303, '/']);
    expect(await sessionsOf(idp, ada.id)).toMatchObject([{ amr: 'pwd pop hwk user mfa', acr: 'phr' }]);
    expect(browser.cookies.has('sallyport_sign_in')).toBe(false);
  });

  test('of twenty posts of one assertion one gives a session', async () => {
    const { idp, ada, authenticator } = await start({ engine });
    const { browser, page } = await toFactor(idp);
    const form = passkeyFormOf(page.html);
    const answer = authenticator.get(form.options, { sign_count: 0 });
    await Promise.all(Array.from({ length: 20 }, () => postPasskey(browser, form, answer)));
    expect(await sessionsOf(idp, ada.id)).toHaveLength(1);
  });
});

test('a key that asks nobody is enough here: who is there, the password said', async () => {
  const { idp, ada, authenticator } = await start();
  const { browser, page } = await toFactor(idp);
  const form = passkeyFormOf(page.html);
  await postPasskey(browser, form, authenticator.get(form.options, { user_verified: false }));
  expect(await sessionsOf(idp, ada.id)).toMatchObject([{ amr: 'pwd pop hwk user mfa', acr: 'phr' }]);
});

test.each<[attack: string, changes: Changes]>([
  ['for another site', { origin: 'https://attacker.example' }],
  ['for another challenge', { challenge: 'AAAA' }],
  ['without anybody there', { user_present: false }],
  ['with a changed signature', { tamper: true }],
])('an assertion %s gives no session, and the page offers another try', async (_, changes) => {
  const { idp, ada, authenticator } = await start();
  const { browser, page } = await toFactor(idp);
  const form = passkeyFormOf(page.html);
  const { status, html } = await postPasskey(browser, form, authenticator.get(form.options, changes));
  expect([status, await sessionsOf(idp, ada.id)]).toEqual([400, []]);
  const next = passkeyFormOf(html);
  expect((await postPasskey(browser, next, authenticator.get(next.options))).status).toBe(303);
});

test('whoever knows the password proves nothing with a passkey of their own', async () => {
  const { idp, ada } = await start();
  const eve = await givePasskey(idp, await idp.addUser({ email: 'eve@example.com' }));
  const { browser, page } = await toFactor(idp);
  const form = passkeyFormOf(page.html);
  expect((await postPasskey(browser, form, eve.authenticator.get(form.options))).status).toBe(400);
  expect(await sessionsOf(idp, ada.id)).toEqual([]);
});

test('a challenge of the login page, where anybody may answer, is none of this page, and the other way round', async () => {
  const { idp, ada, authenticator } = await start();
  const { browser, page } = await toFactor(idp);
  const here = passkeyFormOf(page.html);
  const there = passkeyFormOf((await browser.get('/login')).html);
  const swapped = (form: typeof here, from: typeof here) => ({
    ...form,
    fields: { ...form.fields, challenge: from.fields.challenge ?? '' },
  });
  const posts = [
    await postPasskey(browser, swapped(here, there), authenticator.get(there.options)),
    await postPasskey(browser, swapped(there, here), authenticator.get(here.options)),
  ];
  expect(posts.map(({ status }) => status)).toEqual([403, 403]);
  expect(await sessionsOf(idp, ada.id)).toEqual([]);
});

test('who lost the passkey uses a recovery code in its place', async () => {
  const { idp, ada } = await start();
  const [code = ''] = await addRecoveryCodes(idp, ada.id);
  const { browser, page } = await toFactor(idp);
  expect(page.html).toContain('/factor?way=recovery_code');
  const other = await browser.get('/factor?way=recovery_code');
  expect(headingOf(await typeCode(browser, other, code))).toBe('You are signed in');
  expect(await sessionsOf(idp, ada.id)).toMatchObject([{ amr: 'pwd otp mfa' }]);
});

test('an application that demands phr gets it by one more proof: the session stays, and grows stronger', async () => {
  const { idp, ada, authenticator, shop } = await start();
  const codes = await addRecoveryCodes(idp, ada.id);
  const { browser } = await toFactor(idp);
  await typeCode(browser, await browser.get('/factor?way=recovery_code'), codes[0] ?? '');
  const [before] = await sessionsOf(idp, ada.id);
  const claims = JSON.stringify({ id_token: { acr: { essential: true, values: ['phr'] } } });
  const page = await ask(browser, 'shop', { claims });
  expect([kindOf(page), page.html.includes('way=recovery_code')]).toEqual(['/factor', false]);
  const form = passkeyFormOf(page.html);
  const answered = await browser.follow(postPasskey(browser, form, authenticator.get(form.options)));
  const { body } = await redeem(idp, shop, responseOf(answered).code ?? '');
  expect(claimsOf(body.id_token)).toMatchObject({ acr: 'phr', auth_time: before?.auth_time });
  expect(await sessionsOf(idp, ada.id)).toMatchObject([{ id: before?.id, acr: 'phr' }]);
});

test('somebody whose passkey was removed meanwhile goes on without', async () => {
  const { idp, ada } = await start();
  const { browser, page } = await toFactor(idp, authorizeUrl('shop'));
  const [row] = await passkeys.list(idp.db, ada.id);
  await idp.db.transaction((trx) => passkeys.remove(trx, { id: row?.id ?? '', user_id: ada.id }));
  expect(kindOf(await browser.get(new URL(page.url).pathname))).toBe('/login');
  await signIn(browser, await browser.get('/login'));
  expect(await sessionsOf(idp, ada.id)).toHaveLength(1);
});
