import { writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { change, logoutsOf, signedInWith } from '../../support/account.js';
import { headingOf, signedInBrowser } from '../../support/authorize.js';
import type { Browser } from '../../support/browser.js';
import { engines } from '../../support/database.js';
import { getTokens, refresh } from '../../support/flow.js';
import { newFolder } from '../../support/folder.js';
import { formBody, type IdpOptions, startIdp } from '../../support/idp.js';
import { mmdb } from '../../support/mmdb.js';
import { eventsOf } from '../../support/shop.js';
import { userAgents } from '../../support/user_agents.js';

async function start(options: IdpOptions = {}) {
  const idp = await startIdp(options);
  await idp.addUser();
  return idp;
}

const isSignedIn = async (browser: Browser) => headingOf(await browser.get('/account')) === 'Your account';

/** The ids that the page offers to end. */
async function idsOn(browser: Browser): Promise<string[]> {
  const { html } = await browser.get('/account/sessions');
  return [...html.matchAll(/name="session" value="([^"]+)"/g)].map(([, id = '']) => id);
}

describe.each(engines)('on %s', (engine) => {
  test('one device is ended: its session, its tokens, at once; others go on', async () => {
    const idp = await start({ engine });
    const shop = await idp.addClient({}, 'shop');
    const [here, phone, desk] = [
      await signedInBrowser(idp),
      await signedInBrowser(idp),
      await signedInBrowser(idp),
    ];
    const ofPhone = await getTokens(idp, shop, {}, phone);
    idp.advance(61);
    const ofDesk = await getTokens(idp, shop, {}, desk);
    const [, phones = ''] = await idsOn(here); // what was seen last comes first
    const page = await change(here, '/account/sessions', { action: 'end', session: phones });
    expect([page.status, page.html.includes('That device is signed out')]).toEqual([200, true]);
    expect([await isSignedIn(here), await isSignedIn(phone), await isSignedIn(desk)]).toEqual([
      true,
      false,
      true,
    ]);
    expect((await refresh(idp, shop, ofPhone.refresh_token)).body.error).toBe('invalid_grant');
    expect((await idp.userinfo(ofPhone.access_token)).status).toBe(401);
    expect((await idp.userinfo(ofDesk.access_token)).status).toBe(200);
    expect(await eventsOf(idp, 'session_revoked')).toMatchObject([
      { session_id: phones, address: '127.0.0.1' },
    ]);
  });

  test('twenty ask at the same moment to end one device: it ends once', async () => {
    const idp = await start({ engine });
    const here = await signedInBrowser(idp);
    await signedInBrowser(idp);
    const [id = ''] = await idsOn(here);
    const pages = await Promise.all(
      Array.from({ length: 20 }, () => change(here, '/account/sessions', { action: 'end', session: id })),
    );
    expect(pages.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(new Set(pages.map(({ status }) => status))).toEqual(new Set([200, 404]));
    expect(await eventsOf(idp, 'session_revoked')).toHaveLength(1);
  });

  test('all others are ended; this one, offline access and other people go on', async () => {
    const idp = await start({ engine });
    await idp.addUser({ email: 'bob@example.com' });
    const shop = await idp.addClient({}, 'shop');
    const here = await signedInBrowser(idp);
    const others = [await signedInBrowser(idp), await signedInBrowser(idp)];
    const bob = await signedInBrowser(idp, 'bob@example.com');
    const bound = await getTokens(idp, shop, {}, others[0]);
    const away = await getTokens(idp, shop, { scope: 'openid offline_access' }, others[1]);
    const page = await change(here, '/account/sessions', { action: 'end_others' });
    expect(page.html).toContain('All other devices are signed out');
    expect(await Promise.all([here, ...others].map(isSignedIn))).toEqual([true, false, false]);
    expect(headingOf(await bob.get('/account'))).toBe('Your account');
    expect((await refresh(idp, shop, bound.refresh_token)).status).toBe(400);
    expect((await refresh(idp, shop, away.refresh_token)).status).toBe(200);
    expect(await eventsOf(idp, 'other_sessions_ended')).toMatchObject([{ detail: '2' }]);
  });
});

test('applications are told of each device that is ended', async () => {
  const idp = await start();
  const backchannel_logout_uri = 'https://shop.example/logout';
  const shop = await idp.addClient({ backchannel_logout_uri }, 'shop');
  const here = await signedInBrowser(idp);
  for (let count = 0; count < 2; count += 1) await getTokens(idp, shop, {}, await signedInBrowser(idp));
  await change(here, '/account/sessions', { action: 'end_others' });
  expect(await logoutsOf(idp)).toEqual(['shop', 'shop']);
});

test('ending the device one sits at signs out', async () => {
  const idp = await start();
  const here = await signedInBrowser(idp);
  const { sessions } = JSON.parse((await here.get('/account/data/download')).html) as {
    sessions: { id: string }[];
  };
  const page = await change(here, '/account/sessions', { action: 'end', session: sessions[0]?.id ?? '' });
  expect(page.url).toBe(`${idp.url}/`);
  expect(await isSignedIn(here)).toBe(false);
});

test('devices are told apart by their names; a header that somebody made up tells nothing (hardening 17)', async () => {
  const idp = await start();
  const here = await signedInWith(idp, userAgents.firefox_linux);
  await signedInWith(idp, userAgents.safari_iphone);
  await signedInWith(idp, '<script>alert(1)</script>/1.0');
  const { html } = await here.get('/account/sessions');
  const titles = [...html.matchAll(/<span class="title">([^<]*)<\/span>/g)].map(([, title]) => title);
  expect(titles[0]).toBe('Firefox on Linux');
  expect(titles.toSorted()).toEqual(['Firefox on Linux', 'Safari on iOS', 'Unknown device']);
  expect(html).not.toContain('alert(1)');
  expect(html.match(/This device/g)).toHaveLength(1);
});

test('the address is the one that trusted proxies tell, and its place that of the database: on pages and in the notice', async () => {
  const path = `${await newFolder()}/places.mmdb`;
  const names = (en: string, ar: string) => ({ names: { en, ar } });
  writeFileSync(
    path,
    mmdb({ '203.0.113.0/24': { city: names('Paris', 'باريس'), country: names('France', 'فرنسا') } }),
  );
  const idp = await start({ settings: { TRUSTED_PROXIES: '127.0.0.1', GEOIP_DB: path } });
  const browser = idp.browser();
  const login = await browser.get('/login');
  const csrf = /name="csrf" value="([^"]+)"/.exec(login.html)?.[1] ?? '';
  const body = formBody({ csrf, email: 'ada@example.com', password: 'correct horse battery staple' });
  const headers = { 'x-forwarded-for': '198.51.100.7, 203.0.113.9' };
  await browser.request('/login', { method: 'POST', body, headers });
  expect((await browser.get('/account/sessions')).html).toContain('Paris, France (203.0.113.9)');
  expect((await browser.get('/account/events')).html).toContain('Paris, France (203.0.113.9)');
  const mails = await idp.browser().get('/dev/mail');
  const [, mail = ''] = /href="(\/dev\/mail\/[^"]+)"/.exec(mails.html) ?? [];
  expect((await idp.browser().get(mail)).html).toContain('Paris, France, 203.0.113.…');
  const arabic = await browser.request('/account/sessions', { headers: { 'accept-language': 'ar' } });
  expect(arabic.html).toContain('باريس, فرنسا');
});

test('a header of any length is cut', async () => {
  const idp = await start();
  const browser = await signedInWith(idp, `Mozilla/5.0 ${'x'.repeat(4000)}`);
  const { sessions } = JSON.parse((await browser.get('/account/data/download')).html) as {
    sessions: { user_agent: string }[];
  };
  expect(sessions[0]?.user_agent).toHaveLength(512);
});
