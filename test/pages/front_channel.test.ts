import { decodeJwt } from 'jose';
import { describe, expect, test } from 'vitest';
import { disableClient, updateClient } from '../../src/actions/clients.js';
import { newSecret } from '../../src/secrets.js';
import { attribute, type Page, unescapeHtml } from '../support/browser.js';
import { getCode, getTokens } from '../support/flow.js';
import { type Form, formBody } from '../support/idp.js';
import { startShop } from '../support/shop.js';

const bye = 'https://shop.example/bye';
const front = 'https://shop.example/told';

/** Somebody who is signed in to two applications that are told by the browser, and to one that is not. */
async function start() {
  const shop = await startShop({
    metadata: {
      post_logout_redirect_uris: [bye],
      frontchannel_logout_uri: `${front}?kept=1&"`,
    },
  });
  const { idp, browser } = shop;
  const blog = { redirect_uris: ['https://blog.example:8443/cb'] };
  await idp.addClient({ ...blog, frontchannel_logout_uri: 'https://blog.example:8443/out' }, 'blog');
  await idp.addClient({}, 'news');
  await idp.addClient({ frontchannel_logout_uri: 'https://shop.example/elsewhere' }, 'forum');
  const tokens = await shop.tokens();
  await getCode(browser, 'blog', { redirect_uri: 'https://blog.example:8443/cb' });
  await getCode(browser, 'news');
  await getCode(idp.browser(), 'forum'); // another session
  const sid = String(decodeJwt(tokens.id_token).sid);
  const logout = (changes: Form = {}) =>
    browser.get(`/logout?${formBody({ id_token_hint: tokens.id_token, ...changes })}`);
  return { ...shop, sid, logout, tokens };
}

function framesOf({ html }: Page): string[] {
  return [...html.matchAll(/<iframe[^>]*>/g)].map(([tag]) => unescapeHtml(attribute(tag, 'src')));
}

/** Random letters and digits. */
const newText = (length: number) =>
  Array.from({ length: Math.ceil(length / 43) }, newSecret)
    .join('')
    .slice(0, length)
    .replaceAll('-', 'x');

const nextOf = ({ html }: Page) => /<a[^>]*id="continue"[^>]*>/.exec(html)?.[0];

describe('after a sign-out', () => {
  test('each application of the session is told by a hidden frame, with iss and sid (FCL-01)', async () => {
    const { idp, sid, logout } = await start();
    const page = await logout();
    expect(page.status).toBe(200);
    const named = new URLSearchParams({ iss: idp.issuer, sid });
    expect(framesOf(page)).toEqual([`https://blog.example:8443/out?${named}`, `${front}?kept=1&"&${named}`]);
    for (const [tag] of page.html.matchAll(/<iframe[^>]*>/g)) expect(tag).toMatch(/ hidden>$/);
  });

  test('the page may frame exactly these origins, and nobody keeps it or frames it (FCL-02, HTTP-16)', async () => {
    const { headers } = await (await start()).logout();
    const policy = headers.get('content-security-policy')?.split('; ');
    expect(policy).toContain('frame-src https://blog.example:8443 https://shop.example');
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).toContain("default-src 'none'");
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
  });

  test.each([
    ['with a state', { state: 'a b&c' }, `${bye}?state=a+b%26c`],
    ['without a state', {}, bye],
  ])(
    'the page goes on to the application %s, by itself or by its link (RIL-03)',
    async (_, changes, next) => {
      const { logout } = await start();
      const page = await logout({ post_logout_redirect_uri: bye, ...changes });
      expect(unescapeHtml(attribute(nextOf(page) ?? '', 'href'))).toBe(next);
      expect(page.html).toContain('/assets/signed_out.js');
    },
  );

  test('without an application to go back to, the page stays', async () => {
    const page = await (await start()).logout();
    expect([nextOf(page), page.html.includes('signed_out.js')]).toEqual([undefined, false]);
    expect(page.html).toContain('You are signed out');
  });

  test('that the person confirmed, the same page follows', async () => {
    const { browser } = await start();
    const page = await browser.submit(await browser.get('/logout'), { action: 'sign_out' });
    expect(framesOf(page)).toHaveLength(2);
  });

  test('a client that is disabled is not framed', async () => {
    const { idp, logout } = await start();
    await disableClient(idp.deps, 'blog', true, idp.now());
    expect(framesOf(await logout())).toHaveLength(1);
  });

  test('nobody who was not signed in is sent to it', async () => {
    const { logout } = await start();
    await logout();
    const again = await logout({ post_logout_redirect_uri: bye });
    expect([again.status, again.headers.get('location')]).toEqual([303, bye]);
  });

  test('more applications than an address can name: it goes on without frames, and the sign-out counts', async () => {
    const { idp, browser, logout } = await start();
    const state = newText(2048);
    for (let i = 0; i < 20; i += 1) {
      const { client } = await idp.addClient({ frontchannel_logout_uri: front }, newText(255));
      await getCode(browser, client.client_id);
    }
    const page = await logout({ post_logout_redirect_uri: bye, state });
    expect([page.status, page.headers.get('location')]).toEqual([303, `${bye}?state=${state}`]);
    expect((await browser.get('/')).html).not.toContain('You are signed in');
  });
});

describe('the address of the page', () => {
  const addressOf = async ({ browser, tokens }: Awaited<ReturnType<typeof start>>) => {
    const query = formBody({ id_token_hint: tokens.id_token, post_logout_redirect_uri: bye });
    return (await browser.request(`/logout?${query}`)).headers.get('location') ?? '';
  };

  test('that was changed, or is a seal for something else, opens nothing', async () => {
    const world = await start();
    const sealed = await addressOf(world);
    const changed = `${sealed.slice(0, 100)}${sealed[100] === 'A' ? 'B' : 'A'}${sealed.slice(101)}`;
    for (const address of [changed, sealed.slice(0, -10), '/signed-out?request=x.y']) {
      const page = await world.browser.get(address);
      expect([page.status, framesOf(page), nextOf(page)]).toEqual([403, [], undefined]);
    }
  });

  test('leads nowhere that is not registered any more', async () => {
    const world = await start();
    const address = await addressOf(world);
    const changes = { post_logout_redirect_uris: ['https://shop.example/other'] };
    await updateClient(world.idp.deps, 'shop', changes, world.idp.now());
    const page = await world.browser.get(address);
    expect([page.status, nextOf(page)]).toEqual([400, undefined]);
  });

  test('names the session that ended and nothing that opens one, and that only sealed', async () => {
    const world = await start();
    const address = await addressOf(world);
    expect(address).toMatch(/^\/signed-out\?request=[\w.-]+$/);
    expect(address).not.toContain(world.sid);
  });
});

test('where no application wants frames, nothing comes between', async () => {
  const shop = await startShop({ metadata: { post_logout_redirect_uris: [bye] } });
  const { id_token } = await getTokens(shop.idp, shop.shop, {}, shop.browser);
  const query = formBody({ id_token_hint: id_token, post_logout_redirect_uri: bye });
  const page = await shop.browser.request(`/logout?${query}`);
  expect([page.status, page.headers.get('location')]).toEqual([303, bye]);
});
