import { describe, expect, test } from 'vitest';
import { keepAccount, removeDueAccounts } from '../../../src/actions/deletion.js';
import { disableUser } from '../../../src/actions/users.js';
import * as users from '../../../src/store/users.js';
import { change, deletedAndBack, logoutsOf, signedInWith } from '../../support/account.js';
import { ask, headingOf, signedInBrowser } from '../../support/authorize.js';
import type { Browser } from '../../support/browser.js';
import { commandsOf } from '../../support/cli.js';
import { engines } from '../../support/database.js';
import { postJson } from '../../support/first_party.js';
import { getTokens, refresh, responseOf, signIn } from '../../support/flow.js';
import { type IdpOptions, startIdp, type TestIdp } from '../../support/idp.js';
import { mailRows, startWithMail } from '../../support/mails.js';
import { atOnce, eventsOf } from '../../support/shop.js';

const grace_seconds = 14 * 86_400;
const typed = { typed: 'ada@example.com', action: 'delete' };

async function start(options: IdpOptions = {}) {
  const idp = await startIdp(options);
  const user = await idp.addUser();
  const shop = await idp.addClient({ backchannel_logout_uri: 'https://shop.example/logout' }, 'shop');
  return { idp, user, shop };
}

const remove = (browser: Browser, fields = typed) => change(browser, '/account/delete', fields);
const due = (idp: TestIdp) => removeDueAccounts(idp.deps, idp.now());
const isThere = async (idp: TestIdp, id: string) => (await users.find(idp.db, id)) !== undefined;

describe.each(engines)('a deleted account on %s', (engine) => {
  test('is signed out everywhere at once, with all that applications had, offline access too', async () => {
    const { idp, shop } = await start({ engine });
    const [here, there] = [await signedInBrowser(idp), await signedInBrowser(idp)];
    const bound = await getTokens(idp, shop, {}, there);
    const away = await getTokens(idp, shop, { scope: 'openid offline_access' }, here);
    expect((await remove(here)).url).toBe(`${idp.url}/goodbye`);
    for (const browser of [here, there]) expect(headingOf(await browser.get('/account'))).toBe('Sign in');
    for (const { refresh_token, access_token } of [bound, away]) {
      expect((await refresh(idp, shop, refresh_token)).body.error).toBe('invalid_grant');
      expect((await idp.userinfo(access_token)).status).toBe(401);
    }
    expect((await logoutsOf(idp)).length).toBeGreaterThan(0);
  });

  test('is removed by the job when its time has come, to the second, and its address is free again', async () => {
    const { idp, user } = await start({ engine });
    await remove(await signedInBrowser(idp));
    idp.advance(grace_seconds - 1);
    expect([await due(idp), await isThere(idp, user.id)]).toEqual([0, true]);
    idp.advance(1);
    expect([await due(idp), await isThere(idp, user.id)]).toEqual([1, false]);
    const browser = idp.browser();
    expect((await signIn(browser, await browser.get('/login'))).status).toBe(400);
    expect((await idp.addUser()).id).not.toBe(user.id);
  });

  test('is kept by its owner, who signs in: then nothing removes it', async () => {
    const { idp, user } = await start({ engine });
    const browser = await deletedAndBack(idp);
    const page = await browser.get('/');
    expect([headingOf(page), page.url]).toEqual(['Keep your account?', `${idp.url}/account/keep`]);
    const kept = await browser.submit(page, { action: 'keep' });
    expect([headingOf(kept), kept.html.includes('Your account stays.')]).toEqual(['Your account', true]);
    idp.advance(2 * grace_seconds);
    expect([await due(idp), await isThere(idp, user.id)]).toEqual([0, true]);
  });

  test('is kept or removed where both happen at the same moment, never half of each', async () => {
    const { idp, user } = await start({ engine });
    await remove(await signedInBrowser(idp));
    idp.advance(grace_seconds);
    const visit = { user_agent: '', address: '127.0.0.1' };
    const [kept, ...removed] = await Promise.all([
      keepAccount(idp.deps, user.id, visit, idp.now() - 1),
      ...Array.from({ length: 5 }, () => due(idp)),
    ]);
    const count = removed.reduce((sum, one) => sum + one, 0);
    expect([kept, count, await isThere(idp, user.id)]).toEqual(kept ? [true, 0, true] : [false, 1, false]);
  });

  test('is asked for once by twenty at the same moment', async () => {
    const { idp } = await start({ engine });
    const browser = await signedInBrowser(idp);
    await atOnce(20, () => remove(browser));
    expect(await eventsOf(idp, 'deletion_requested')).toHaveLength(1);
  });

  test('two administrators delete their accounts at the same moment: one is left', async () => {
    const idp = await startIdp({ engine });
    const emails = ['ada@example.com', 'bob@example.com'];
    for (const email of emails) await idp.addUser({ email, roles: ['admin', 'editor'] });
    const browsers = await Promise.all(emails.map((email) => signedInBrowser(idp, email)));
    const pages = await Promise.all(
      browsers.map((browser, i) => remove(browser, { ...typed, typed: emails[i] ?? '' })),
    );
    expect(pages.map(({ status }) => status).toSorted()).toEqual([200, 403]);
    expect(pages.find(({ status }) => status === 403)?.html).toContain('You are the only administrator.');
    expect(await eventsOf(idp, 'deletion_requested')).toHaveLength(1);
  });
});

describe('until it is deleted', () => {
  test('an application’s request leads to the page that keeps it, and goes on from there', async () => {
    const { idp } = await start();
    await remove(await signedInBrowser(idp));
    const browser = idp.browser();
    const page = await signIn(browser, await ask(browser, 'shop'));
    expect(headingOf(page)).toBe('Keep your account?');
    const answer = await browser.submit(page, { action: 'keep' });
    expect(responseOf(answer).code).toBeTruthy();
  });

  test('nothing is given to an application that asks silently: interaction_required', async () => {
    const { idp } = await start();
    const browser = await deletedAndBack(idp);
    expect(responseOf(await ask(browser, 'shop', { prompt: 'none' })).error).toBe('interaction_required');
  });

  test('nothing is given to the first-party API', async () => {
    const { idp } = await start();
    const own = { grant_types: ['refresh_token'], redirect_uris: [], token_endpoint_auth_method: 'none' };
    await idp.addClient({ ...own, first_party: true, allowed_origins: ['https://www.example.com'] }, 'site');
    await remove(await signedInBrowser(idp));
    const body = { client_id: 'site', email: 'ada@example.com', password: 'correct horse battery staple' };
    const answer = await postJson(idp.browser(), '/users/login', body);
    expect([answer.status, answer.body.error]).toEqual([401, 'interaction_required']);
  });

  test('a person who is disabled meanwhile cannot keep it', async () => {
    const { idp, user } = await start();
    await remove(await signedInBrowser(idp));
    await disableUser(idp.deps, user.id, idp.now());
    const browser = idp.browser();
    expect((await signIn(browser, await browser.get('/login'))).status).toBe(400);
  });
});

describe('the form', () => {
  test.each(['', 'bob@example.com', 'ada@example.com.evil', 'delete'])(
    'deletes nothing where the address is not typed: %j',
    async (address) => {
      const { idp } = await start();
      const browser = await signedInBrowser(idp);
      const page = await remove(browser, { ...typed, typed: address });
      expect([page.status, page.html.includes('id="typed-error"')]).toEqual([400, true]);
      expect(headingOf(await browser.get('/account'))).toBe('Your account');
    },
  );

  test('takes the address as people type it', async () => {
    const { idp } = await start();
    const page = await remove(await signedInBrowser(idp), { ...typed, typed: ' Ada@Example.com ' });
    expect(headingOf(page)).toBe('Goodbye');
  });

  test('somebody finds a browser left open: without a fresh proof nothing is deleted', async () => {
    const { idp } = await start();
    const browser = await signedInBrowser(idp);
    idp.advance(301);
    expect(headingOf(await browser.get('/account/delete'))).toBe('Confirm that it is you');
    expect(headingOf(await remove(browser))).toBe('Confirm that it is you');
    expect(await eventsOf(idp, 'deletion_requested')).toEqual([]);
  });

  test('refuses the last administrator, whoever else is disabled or about to be deleted', async () => {
    const idp = await startIdp();
    await idp.addUser({ roles: ['admin'] });
    const { id } = await idp.addUser({ email: 'bob@example.com', roles: ['admin'] });
    await idp.addUser({ email: 'eve@example.com', roles: ['administrator', 'not-admin'] });
    await disableUser(idp.deps, id, idp.now());
    const page = await remove(await signedInBrowser(idp));
    expect([page.status, page.html.includes('You are the only administrator.')]).toEqual([403, true]);
  });
});

test('without a time of grace it is deleted at once', async () => {
  const { idp, user } = await start({ settings: { ACCOUNT_DELETION_GRACE_SECONDS: '0' } });
  const browser = await signedInBrowser(idp);
  expect((await browser.get('/account/delete')).html).toContain('The account is deleted at once.');
  const page = await remove(browser);
  expect(page.html).toContain('The account is deleted, and you are signed out everywhere.');
  expect(await isThere(idp, user.id)).toBe(false);
});

test('its owner is told when it is asked for, when it is kept, and when it is gone', async () => {
  const { idp } = await startWithMail();
  await idp.addUser();
  const told = async () =>
    (await mailRows(idp)).map(({ name }) => name).filter((name) => name !== 'new_device');
  await remove(await signedInBrowser(idp));
  expect(await told()).toEqual(['deletion_asked']);
  const browser = await signedInWith(idp);
  await browser.submit(await browser.get('/account/keep'), { action: 'keep' });
  expect((await told()).toSorted()).toEqual(['deletion_asked', 'deletion_cancelled']);
  await remove(browser);
  idp.advance(grace_seconds);
  await due(idp);
  expect(await told()).toContain('deleted');
});

test('the operator sees that an account is to be deleted', async () => {
  const { idp, user } = await start();
  const { json } = commandsOf(idp);
  expect(await json('users', 'show', user.id)).not.toHaveProperty('deletes_at');
  await remove(await signedInBrowser(idp));
  const { deletes_at } = await json('users', 'show', user.id);
  expect(deletes_at).toBe(idp.now() + grace_seconds);
});
