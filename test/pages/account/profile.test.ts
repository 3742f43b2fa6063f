import { beforeEach, describe, expect, test } from 'vitest';
import { readConfig } from '../../../src/config.js';
import * as users from '../../../src/store/users.js';
import { change } from '../../support/account.js';
import { signedInBrowser } from '../../support/authorize.js';
import { attribute, type Browser } from '../../support/browser.js';
import { engines } from '../../support/database.js';
import { getTokens } from '../../support/flow.js';
import { type IdpOptions, startIdp, type TestIdp } from '../../support/idp.js';
import { eventsOf } from '../../support/shop.js';

async function start(options: IdpOptions = {}) {
  const idp = await startIdp(options);
  const { id } = await idp.addUser({
    claims: { name: 'Ada Lovelace', phone_number: '+44 1', phone_number_verified: true },
  });
  const browser = await signedInBrowser(idp);
  const user = async () => users.find(idp.db, id);
  const save = (fields: Readonly<Record<string, string>>) =>
    change(browser, '/account/profile', { fields: Object.keys(fields).join(' '), ...fields });
  return { idp, browser, user, save };
}

/** What the form has in a field. */
const valueIn = (html: string, field: string) =>
  attribute(new RegExp(`<input id="${field}"[^>]*>`).exec(html)?.[0] ?? '', 'value');

describe.each(engines)('on %s', (engine) => {
  test('what a person changes is saved, and in the next userinfo answer', async () => {
    const { idp, browser, save } = await start({ engine });
    const shop = await idp.addClient({}, 'shop');
    const { access_token } = await getTokens(idp, shop, { scope: 'openid profile' }, browser);
    const page = await save({
      name: '  Ada King ',
      nickname: 'Countess',
      zoneinfo: 'Europe/London',
      locale: 'en-GB',
    });
    expect([page.status, page.url]).toEqual([200, `${idp.url}/account/profile?done=saved`]);
    expect(page.html).toMatch(/role="status">Your profile is saved\./);
    expect([valueIn(page.html, 'name'), valueIn(page.html, 'nickname')]).toEqual(['Ada King', 'Countess']);
    expect((await idp.userinfo(access_token)).body).toMatchObject({
      ...{ name: 'Ada King', nickname: 'Countess', zoneinfo: 'Europe/London', locale: 'en-GB' },
      updated_at: idp.now(),
    });
    const changed = { detail: 'name nickname zoneinfo locale', user_agent: 'node', address: '127.0.0.1' };
    expect(await eventsOf(idp, 'profile_changed')).toMatchObject([changed]);
  });

  test('twenty changes at the same moment: each is whole, and none is lost for another claim', async () => {
    const { save, user } = await start({ engine });
    const names = ['given_name', 'family_name', 'nickname'];
    await Promise.all(Array.from({ length: 21 }, (_, i) => save({ [names[i % 3] ?? '']: `Name ${i % 3}` })));
    expect(await user()).toMatchObject({ given_name: 'Name 0', family_name: 'Name 1', nickname: 'Name 2' });
  });
});

describe('the form', () => {
  let idp: TestIdp;
  let browser: Browser;
  let save: Awaited<ReturnType<typeof start>>['save'];
  let user: Awaited<ReturnType<typeof start>>['user'];
  beforeEach(async () => {
    ({ idp, browser, save, user } = await start());
  });

  test('takes a claim away where its field is empty, and leaves those that it was not sent', async () => {
    await save({ name: '', nickname: 'Countess' });
    expect(await user()).toMatchObject({ name: null, nickname: 'Countess', phone_number: '+44 1' });
    await save({ nickname: 'Countess' });
    expect(await eventsOf(idp, 'profile_changed')).toHaveLength(1); // the second one changed nothing
  });

  test.each([
    ['name', 'x'.repeat(501)],
    ['name', 'a\u0001b'],
    ['name', 'two\nlines'],
    ['birthdate', 'in spring'],
    ['birthdate', '10.12.1815'],
    ['zoneinfo', 'Europe/Atlantis'],
    ['zoneinfo', '<script>'],
    ['locale', 'not a language'],
    ['locale', '../../etc'],
  ])('refuses %s = %j at its field, shows what was typed, and saves nothing of it', async (claim, text) => {
    const before = await user();
    const page = await save({ nickname: 'Countess', [claim]: text });
    expect(page.status).toBe(400);
    expect(page.html).toMatch(new RegExp(`id="${claim}-error"`));
    expect(page.html).toMatch(new RegExp(`<input id="${claim}"[^>]*aria-invalid="true"`));
    expect(valueIn(page.html, 'nickname')).toBe('Countess');
    expect(await user()).toEqual(before);
  });

  test.each([
    ...['sub', 'id', 'email', 'email_verified', 'email_canonical', 'roles', 'phone_number_verified'],
    ...[
      'phone_number',
      'preferred_username',
      'picture',
      'updated_at',
      'disabled_at',
      'deletes_at',
      '__proto__',
    ],
  ])('changes nothing of what it is not opened for: %s (hardening 11 and 28)', async (claim) => {
    const before = await user();
    const page = await save({ [claim]: '1' });
    expect(page.status).toBe(200);
    expect(await user()).toEqual(before);
  });

  test('shows what cannot be changed', async () => {
    const { html } = await browser.get('/account/profile');
    expect(html).toContain('<bdi>ada@example.com</bdi>');
    expect(html).toContain('<bdi>+44 1</bdi>');
  });

  test('sent twice for one claim is refused as malformed, and saves nothing', async () => {
    const before = await user();
    const { html } = await browser.get('/account/profile');
    const csrf = /name="csrf" value="([^"]+)"/.exec(html)?.[1] ?? '';
    expect((await browser.post('/account/profile', { csrf, fields: 'name', name: ['A', 'B'] })).status).toBe(
      400,
    );
    expect(await user()).toEqual(before);
  });
});

describe('SALLYPORT_PROFILE_EDITABLE', () => {
  test('none: there is no form, and a form that is sent all the same changes nothing', async () => {
    const { browser, save, user } = await start({ settings: { PROFILE_EDITABLE: 'none' } });
    const { html } = await browser.get('/account/profile');
    expect(html).not.toContain('id="save"');
    expect(html).toContain('Whoever runs this server looks after your profile.');
    const before = await user();
    const csrf = 'nothing';
    expect((await browser.post('/account/profile', { csrf, name: 'Eve' })).status).toBe(403);
    await save({ name: 'Eve' });
    expect(await user()).toEqual(before);
  });

  test('phone_number: one that its owner changed is not verified any more (hardening 11)', async () => {
    const { save, user } = await start({ settings: { PROFILE_EDITABLE: 'phone_number website' } });
    await save({ website: 'https://ada.example' });
    expect(await user()).toMatchObject({ phone_number_verified: 1 });
    await save({ phone_number: '+44 2' });
    expect(await user()).toMatchObject({ phone_number: '+44 2', phone_number_verified: 0 });
  });

  test.each(['javascript:alert(1)', 'data:text/html,x', 'ada.example', 'ftp://ada.example/'])(
    'website: %s is refused (hardening 17)',
    async (website) => {
      const { save } = await start({ settings: { PROFILE_EDITABLE: 'website' } });
      expect((await save({ website })).status).toBe(400);
    },
  );

  test.each(['email', 'roles', 'sub', 'email_verified', 'name,address'])('%s does not start', (value) => {
    const env = { SALLYPORT_PROFILE_EDITABLE: value };
    expect(() => readConfig(env, () => '')).toThrow(
      'SALLYPORT_PROFILE_EDITABLE must be none, or some of name',
    );
  });
});

test.each(['<script>alert(1)</script>', '"><img src=x onerror=alert(1)>', '</title><svg onload=alert(1)>'])(
  'a name %s stays a text on every page of the account (hardening 17)',
  async (name) => {
    const { browser, save } = await start();
    await save({ name });
    for (const path of ['', '/profile', '/password', '/sessions', '/events', '/data', '/delete']) {
      const { html } = await browser.get(`/account${path}`);
      expect(html).not.toContain(name);
    }
  },
);
