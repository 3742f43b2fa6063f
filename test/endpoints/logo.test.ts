import { describe, expect, test } from 'vitest';
import { updateClient } from '../../src/actions/clients.js';
import { createOutbound } from '../../src/limits/outbound.js';
import { authorizeUrl } from '../support/flow.js';
import { startIdp } from '../support/idp.js';
import { replies } from '../support/outbound.js';
import { rawRequest } from '../support/raw_http.js';
import { atOnce } from '../support/shop.js';

const logo_uri = 'https://shop.example/logo';
const png = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');
const jpeg = Buffer.from('ffd8ffe000104a464946', 'hex');
const webp = Buffer.concat([Buffer.from('RIFF'), Buffer.alloc(4, 1), Buffer.from('WEBPVP8 ')]);

describe('an application’s logo is fetched by us and served from here', () => {
  test.each([
    ['image/png', png],
    ['image/jpeg', jpeg],
    ['image/webp', webp],
  ])('%s, told by its first bytes', async (type, bytes) => {
    const { idp } = await start(bytes);
    const response = await idp.fetch('/logos/shop');
    expect([response.status, response.headers.get('content-type')]).toEqual([200, type]);
    expect(Buffer.from(await response.arrayBuffer())).toEqual(bytes);
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(response.headers.get('cache-control')).toBe('public, max-age=3600');
  });

  test.each([
    [
      'SVG, which may hold a script',
      '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    ],
    ['SVG behind an XML head', '<?xml version="1.0"?><svg/>'],
    ['HTML', '<!doctype html><script>alert(1)</script>'],
    ['GIF', 'GIF89a\u0001\u0000'],
    ['a text that names PNG', 'PNG'],
    ['RIFF that is no picture', 'RIFF\u0001\u0001\u0001\u0001WAVEfmt '],
    ['the beginning of a PNG', png.subarray(0, 7)],
    ['a PNG behind a space', Buffer.concat([Buffer.from(' '), png])],
    ['nothing', ''],
  ])('%s is refused, whatever it calls itself (hardening 17, 18)', async (_, text) => {
    const { idp } = await start(Buffer.from(text));
    const { status, headers, body } = await rawRequest(idp.url, { path: '/logos/shop' });
    expect([status, body]).toEqual([404, 'There is no logo.\n']);
    expect(headers['content-type']).toContain('text/plain');
  });

  test('is fetched once a day, also for twenty browsers at once', async () => {
    const { idp, fetched } = await start(png);
    const answers = await atOnce(20, () => rawRequest(idp.url, { path: '/logos/shop' }));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    idp.advance(86_399);
    await rawRequest(idp.url, { path: '/logos/shop' });
    expect(fetched.asked).toEqual([logo_uri]);
    idp.advance(1);
    await rawRequest(idp.url, { path: '/logos/shop' });
    expect(fetched.asked).toHaveLength(2);
  });

  test('one that cannot be fetched is asked for again after five minutes', async () => {
    const { idp, fetched } = await start(png);
    fetched.remove(logo_uri);
    for (const _ of [1, 2, 3]) expect((await rawRequest(idp.url, { path: '/logos/shop' })).status).toBe(404);
    expect(fetched.asked).toHaveLength(1);
    expect(idp.logged).toContainEqual(
      expect.objectContaining({ level: 'warn', message: 'a logo cannot be fetched' }),
    );
    fetched.set(logo_uri, png);
    idp.advance(300);
    expect((await rawRequest(idp.url, { path: '/logos/shop' })).status).toBe(200);
  });

  test('a browser that has it is told so', async () => {
    const { idp } = await start(png);
    const { headers } = await rawRequest(idp.url, { path: '/logos/shop' });
    const again = await rawRequest(idp.url, {
      path: '/logos/shop',
      headers: { 'if-none-match': String(headers.etag) },
    });
    expect([again.status, again.body]).toEqual([304, '']);
  });

  test('another address is another logo', async () => {
    const { idp, fetched } = await start(png);
    await rawRequest(idp.url, { path: '/logos/shop' });
    fetched.set('https://shop.example/new', jpeg);
    await updateClient(idp.deps, 'shop', { logo_uri: 'https://shop.example/new' }, idp.now());
    const { headers } = await rawRequest(idp.url, { path: '/logos/shop' });
    expect(headers['content-type']).toBe('image/jpeg');
  });

  test('one in another language is there for those who read it (REG-13, INT-11)', async () => {
    const { idp, fetched } = await start(png);
    const german = 'https://shop.example/logo.de';
    fetched.set(german, jpeg);
    await updateClient(idp.deps, 'shop', { 'logo_uri#de': german }, idp.now());
    const srcFor = async (ui_locales: string) => {
      const { html } = await idp.browser().get(authorizeUrl('shop', { ui_locales }));
      return /<img class="logo" src="([^"]*)"/.exec(html)?.[1] ?? '';
    };
    expect([await srcFor('fr'), await srcFor('fr de')]).toEqual(['/logos/shop', '/logos/shop?lang=fr+de']);
    const typeAt = async (path: string) => (await rawRequest(idp.url, { path })).headers['content-type'];
    expect(await typeAt('/logos/shop?lang=fr+de')).toBe('image/jpeg');
    expect(await typeAt('/logos/shop?lang=fr')).toBe('image/png');
  });

  test.each(['/logos/nobody', '/logos/plain', '/logos/..%2fshop', '/logos/%00'])(
    '%s is not there, and nothing is fetched',
    async (path) => {
      const { idp, fetched } = await start(png);
      await idp.addClient({}, 'plain');
      expect((await rawRequest(idp.url, { path })).status).toBe(404);
      expect(fetched.asked).toEqual([]);
    },
  );
});

describe('the page of an application with a logo', () => {
  test('shows it from our own origin, and names no other host (INT-11)', async () => {
    const { idp } = await start(png);
    const page = await idp.browser().get(authorizeUrl('shop'));
    expect(page.html).toContain('src="/logos/shop"');
    expect(page.html).not.toContain(logo_uri);
  });

  test('does without where the logo is not to be had', async () => {
    const { idp, fetched } = await start(png);
    fetched.remove(logo_uri);
    const page = await idp.browser().get(authorizeUrl('shop'));
    expect([page.status, page.html.includes('name="password"')]).toEqual([200, true]);
    expect(/<img[^>]*class="logo"[^>]*>/.exec(page.html)?.[0]).toContain('alt=""');
  });
});

test('somebody registers a logo inside: it is never connected to, and the operator reads which setting allows it (hardening 18)', async () => {
  const outbound = createOutbound({ loopback: false, allowed_hosts: [], resolve: async () => ['10.0.0.1'] });
  const idp = await startIdp({ substitutes: { outbound } });
  await idp.addClient({ logo_uri: 'https://intra.example/logo.png' }, 'shop');
  expect((await rawRequest(idp.url, { path: '/logos/shop' })).status).toBe(404);
  const warned = idp.logged.find(({ level }) => level === 'warn');
  expect(String(Object.values(warned?.fields ?? {}))).toContain('SALLYPORT_OUTBOUND_ALLOWED_HOSTS');
});

/** A client with a logo of these bytes. */
async function start(bytes: Buffer) {
  const fetched = replies();
  fetched.set(logo_uri, bytes);
  const idp = await startIdp({ substitutes: { outbound: fetched.outbound } });
  await idp.addUser();
  await idp.addClient({ logo_uri }, 'shop');
  return { idp, fetched };
}
