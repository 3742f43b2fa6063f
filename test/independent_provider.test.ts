/**
 * Signing in with providers that others wrote, by the pages as browsers use them: oidc-provider, and a server as GitHub is one. That we do
 * not agree with ourselves alone.
 */
import { describe, expect, test } from 'vitest';
import * as federatedIdentities from '../src/store/federated_identities.js';
import * as sessions from '../src/store/sessions.js';
import { formOf } from './support/browser.js';
import { responseOf } from './support/flow.js';
import { addProvider } from './support/identity_provider.js';
import { startIdp } from './support/idp.js';
import { startCodeHost, startOidcProvider } from './support/other_providers.js';
import { byShop, press } from './support/upstream.js';

async function start() {
  const here = await startIdp();
  const ada = await here.addUser();
  await here.addClient({}, 'shop');
  const know = (subject: string) =>
    federatedIdentities.insert(here.db, {
      ...{ id: 'i1', provider_id: 'elsewhere', subject, user_id: ada.id, label: null },
      ...{ created_at: here.now(), last_used_at: here.now() },
    });
  return { here, know, live: () => sessions.listByUser(here.db, ada.id, here.now()) };
}

describe('with oidc-provider', () => {
  async function startWith() {
    const world = await start();
    const at = `${world.here.issuer}/upstream/elsewhere`;
    const there = await startOidcProvider({
      redirect_uris: [`${at}/callback`],
      post_logout_redirect_uris: [`${at}/signed-out`],
      backchannel_logout_uri: `${at}/backchannel-logout`,
      backchannel_logout_session_required: true,
    });
    const { issuer, client_id, client_secret } = there;
    await addProvider(world.here, { id: 'elsewhere', issuer, client_id, client_secret });
    await world.know(there.account.sub);
    const [browser, other] = [world.here.browser(), there.browser()];
    const back = (await other.get(await press(browser, byShop))).headers.get('location') ?? '';
    return { ...world, there, browser, other, page: await browser.get(back) };
  }

  test('somebody signs in to an application, and out at both', async () => {
    const { here, there, browser, other, page, live } = await startWith();
    expect(responseOf(page)).toMatchObject({ code: expect.any(String), state: 's1' });
    expect(await live()).toMatchObject([{ amr: 'fed' }]);
    const question = await browser.get('/logout');
    const done = await browser.submit(question, { action: 'sign_out' });
    expect(await live()).toEqual([]);
    const href = (/id="sign-out-there" href="([^"]*)"/.exec(done.html)?.[1] ?? '').replaceAll('&amp;', '&');
    const leaving = (await browser.get(href)).headers.get('location') ?? '';
    expect(leaving).toContain(`${there.issuer}/session/end?`);
    const asked = await other.get(leaving); // its own question
    const { action, hidden } = formOf(asked.html);
    const back = await other.post(action, { ...hidden, logout: 'yes' });
    const end = await browser.get(back.headers.get('location') ?? '');
    expect([end.status, new URL(end.url).pathname]).toEqual([200, '/signed-out']);
    expect(JSON.stringify(here.logged)).not.toContain('upstream_failed');
  });

  test('its own logout token ends the session here', async () => {
    const { there, other, live } = await startWith();
    expect(await live()).toHaveLength(1);
    const asked = await other.get(`${there.issuer}/session/end`);
    const { action, hidden } = formOf(asked.html);
    await other.post(action, { ...hidden, logout: 'yes' });
    expect(await live()).toEqual([]);
  });
});

test('with a server as GitHub is one, somebody signs in to an application', async () => {
  const { here, know, live } = await start();
  const host = await startCodeHost();
  await addProvider(here, { id: 'elsewhere', ...host.columns });
  await know('583231');
  const browser = here.browser();
  const page = await browser.get(await host.visit(await press(browser, byShop)));
  expect(responseOf(page)).toMatchObject({ code: expect.any(String) });
  expect(await live()).toMatchObject([{ amr: 'fed' }]);
});
