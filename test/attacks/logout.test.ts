/** Sending people away, and our own server inside, by way of the sign-out. Hardening rows 5 and 18; RP-Initiated Logout §3. */
import { expect, test } from 'vitest';
import { disableClient } from '../../src/actions/clients.js';
import { loadReceipt, signOutEverywhere } from '../../src/actions/sessions.js';
import { startSender } from '../../src/jobs/outbox.js';
import { headingOf } from '../support/authorize.js';
import { getCode, getTokens, signIn } from '../support/flow.js';
import { formBody, startIdp } from '../support/idp.js';
import { startReceiver } from '../support/receiver.js';

const post_logout_redirect_uri = 'https://shop.example/bye';

test('who holds the address of a disabled application gets nobody sent there, signed in or not, with a hint or without', async () => {
  const idp = await startIdp();
  await idp.addUser();
  const metadata = {
    post_logout_redirect_uris: [post_logout_redirect_uri],
    client_uri: 'https://shop.example',
  };
  const shop = await idp.addClient(metadata, 'shop');
  const browser = idp.browser();
  const { id_token } = await getTokens(idp, shop, {}, browser);
  const url = `/logout?${formBody({ client_id: 'shop', post_logout_redirect_uri })}`;
  const sealed = await browser.get(url); // the question is open while the client is disabled
  await disableClient(idp.deps, 'shop', true, idp.now());

  const stranger = await idp.browser().get(url);
  expect([stranger.status, headingOf(stranger)]).toEqual([200, 'You are signed out']);
  const asked = await browser.submit(sealed, { action: 'sign_out' });
  expect([asked.status, headingOf(asked)]).toEqual([200, 'You are signed out']);

  await signIn(browser, await browser.get('/login'));
  const hinted = await browser.get(`${url}&${formBody({ id_token_hint: id_token })}`);
  expect(headingOf(hinted)).toBe('Sign out?');
  for (const page of [stranger, asked, hinted, await browser.get('/signed-out?client_id=shop')])
    expect(page.html).not.toMatch(/shop\.example|\bShop\b/);
});

test('who registers an address inside as its backchannel_logout_uri has nothing sent there (hardening 18)', async () => {
  const { url, requests } = await startReceiver();
  const inside = url.replace('http:', 'https:');
  const idp = await startIdp({ settings: { ISSUER: 'https://id.example' } });
  const { id: user_id } = await idp.addUser();
  await idp.addClient({ backchannel_logout_uri: inside }, 'shop');
  await getCode(idp.browser(), 'shop');
  const { receipt_id } = await signOutEverywhere(idp.deps, user_id, idp.now());
  const sender = startSender(idp.deps);
  await sender.flush();
  await sender.stop();
  expect(requests).toEqual([]);
  expect((await loadReceipt(idp.deps, receipt_id)).messages).toMatchObject([
    { state: 'sent', answer: expect.stringContaining('which is not a public address') },
  ]);
});
