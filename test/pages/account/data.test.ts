import { expect, test } from 'vitest';
import * as credentials from '../../../src/store/credentials.js';
import { withApplication } from '../../support/account.js';
import { headingOf } from '../../support/authorize.js';
import { addApp, proveFactors } from '../../support/factors.js';
import { formBody, startIdp } from '../../support/idp.js';
import { eventsOf } from '../../support/shop.js';

async function start() {
  const idp = await startIdp();
  const user = await idp.addUser({ claims: { name: 'Ada Lovelace', birthdate: '1815-12-10' } });
  await idp.addClient({ first_party: false }, 'shop');
  const browser = await withApplication(idp);
  return { idp, user, browser };
}

test('the file holds all that is kept of a person, and comes as an attachment that nobody keeps', async () => {
  const { idp, user, browser } = await start();
  const page = await browser.get('/account/data/download');
  expect(page.status).toBe(200);
  expect(page.headers.get('content-type')).toBe('application/json; charset=utf-8');
  expect(page.headers.get('content-disposition')).toBe('attachment; filename="account.json"');
  expect(page.headers.get('cache-control')).toBe('no-store');
  expect(JSON.parse(page.html)).toMatchObject({
    issuer: idp.issuer,
    account: { sub: user.id, roles: [] },
    claims: { name: 'Ada Lovelace', birthdate: '1815-12-10', email: 'ada@example.com', email_verified: true },
    credentials: [{ type: 'password' }],
    other_providers: [],
    remembered_devices: [],
    sessions: [{ address: '127.0.0.1', user_agent: 'node' }],
    applications: [{ client_id: 'shop', client_name: 'Shop', offline_access: false }],
  });
  const { events } = JSON.parse(page.html) as { events: { type: string }[] };
  expect(events.map(({ type }) => type).toSorted()).toEqual(
    ['consent_granted', 'data_downloaded', 'signed_in', 'user_added'].toSorted(),
  );
  expect(await eventsOf(idp, 'data_downloaded')).toHaveLength(1);
});

test('nothing in it signs anybody in: no hash, no cookie, no digest of one', async () => {
  const { idp, user, browser } = await start();
  const { html } = await browser.get('/account/data/download');
  const hash = (await credentials.find(idp.db, user.id, 'password'))?.secret ?? 'there is one';
  for (const secret of [hash, '$argon2', ...browser.cookies.values(), 'token_hash', 'csrf'])
    expect(html).not.toContain(secret);
});

test('nothing of another person is in it', async () => {
  const { idp, browser } = await start();
  await idp.addUser({ email: 'bob@example.com', claims: { name: 'Bob' } });
  expect((await browser.get('/account/data/download')).html).not.toContain('bob@example.com');
});

test('who has a second factor shows it first: a password alone takes no copy', async () => {
  const { idp, user, browser } = await start();
  await addApp(idp, user.id);
  const { status, headers } = await browser.request('/account/data/download');
  expect([status, headers.get('location')]).toEqual([303, `/factor?${formBody({ to: '/account/data' })}`]);
  await proveFactors(idp, user.id);
  expect((await browser.get('/account/data/download')).status).toBe(200);
});

test('somebody finds a browser left open: it asks who one is first, and comes back to the page before it', async () => {
  const { idp, browser } = await start();
  idp.advance(301);
  const confirm = await browser.get('/account/data/download');
  expect(headingOf(confirm)).toBe('Confirm that it is you');
  const back = await browser.submit(confirm, { password: 'correct horse battery staple' });
  expect(headingOf(back)).toBe('Your data');
  expect(await eventsOf(idp, 'data_downloaded')).toEqual([]);
});

test.each(['cross-site', 'same-site'])(
  'a page of another site cannot make it be taken: %s (hardening 33)',
  async (site) => {
    const { idp, browser } = await start();
    const page = await browser.request('/account/data/download', { headers: { 'sec-fetch-site': site } });
    expect([page.status, page.headers.get('location')]).toEqual([303, '/account/data']);
    expect(await eventsOf(idp, 'data_downloaded')).toEqual([]);
  },
);
