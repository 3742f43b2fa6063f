import { expect, test } from 'vitest';
import { openMail } from '../../../src/mail/queue.js';
import { signedInWith } from '../../support/account.js';
import { postJson } from '../../support/first_party.js';
import { signIn } from '../../support/flow.js';
import type { TestIdp } from '../../support/idp.js';
import { mailRows, startWithMail } from '../../support/mails.js';
import { userAgents } from '../../support/user_agents.js';

async function start() {
  const { idp } = await startWithMail();
  await idp.addUser();
  return idp;
}

/** What was queued, in its order. */
async function told(idp: TestIdp) {
  const ring = await idp.deps.keys.get();
  return (await mailRows(idp)).map((row) => openMail(ring, row)?.message);
}

test('a sign-in with a browser that is not known is told by mail, with what and from where', async () => {
  const idp = await start();
  await signedInWith(idp, userAgents.safari_iphone);
  const from = { user_agent: userAgents.safari_iphone, address: '127.0.0.1' };
  expect(await told(idp)).toEqual([{ name: 'new_device', from }]);
});

test('the same browser again is not told, for this person; for another one it is', async () => {
  const idp = await start();
  await idp.addUser({ email: 'bob@example.com' });
  const browser = await signedInWith(idp);
  await signIn(browser, await browser.get('/login'));
  expect(await told(idp)).toHaveLength(1);
  await signIn(browser, await browser.get('/login'), { email: 'bob@example.com' });
  expect(await told(idp)).toHaveLength(2);
});

test('a wrong password is not told: strangers could fill somebody’s mailbox', async () => {
  const idp = await start();
  const browser = idp.browser();
  await signIn(browser, await browser.get('/login'), { password: 'wrong' });
  expect(await told(idp)).toEqual([]);
});

test('a device cookie that somebody made up does not keep the notice away', async () => {
  const idp = await start();
  const browser = idp.browser();
  browser.cookies.set('sallyport_device', `${'A'.repeat(22)}.${'B'.repeat(43)}`);
  await signIn(browser, await browser.get('/login'));
  expect(await told(idp)).toHaveLength(1);
});

test('a sign-in by the first-party API is told, too', async () => {
  const idp = await start();
  const own = { grant_types: ['refresh_token'], redirect_uris: [], token_endpoint_auth_method: 'none' };
  await idp.addClient({ ...own, first_party: true, allowed_origins: ['https://www.example.com'] }, 'site');
  const body = { client_id: 'site', email: 'ada@example.com', password: 'correct horse battery staple' };
  expect((await postJson(idp.browser(), '/users/login', body)).status).toBe(200);
  expect(await told(idp)).toMatchObject([{ name: 'new_device' }]);
});
