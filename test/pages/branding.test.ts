import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { setBrand } from '../../src/actions/branding.js';
import { askForEmail } from '../../src/actions/change_email.js';
import { createApp } from '../../src/app.js';
import { checkNewPassword } from '../../src/factors/new_password.js';
import { signedInBrowser } from '../support/authorize.js';
import { commandsOf } from '../support/cli.js';
import { engines } from '../support/database.js';
import { addApp, proveFactors } from '../support/factors.js';
import { authorizeUrl, signIn } from '../support/flow.js';
import { startIdp, type TestIdp } from '../support/idp.js';
import { lettersOf, mailRows } from '../support/mails.js';
import { eventsOf } from '../support/shop.js';

const png = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.alloc(64, 7)]);

async function branded(idp: TestIdp): Promise<void> {
  await setBrand(
    idp.deps,
    {
      product_name: 'Acme <b>',
      logo: png,
      accent: '#7A1FA2',
      help_uri: 'https://acme.example/help',
      privacy_uri: 'https://acme.example/privacy',
    },
    idp.now(),
  );
}

function folder(files: Readonly<Record<string, string>>): string {
  const path = mkdtempSync(join(tmpdir(), 'views-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(path, name, '..'), { recursive: true });
    writeFileSync(join(path, name), text);
  }
  return path;
}

const sheetOf = (html: string) =>
  (/<link rel="stylesheet" href="([^"]+)"/.exec(html)?.[1] ?? '').replaceAll('&amp;', '&');

describe.each(engines)('the branding on %s', (engine) => {
  test('gives its name to what people keep, and to no password', async () => {
    const idp = await startIdp({ engine, settings: { EMAIL_EDITABLE: 'false' } });
    await setBrand(idp.deps, { product_name: 'Grimsby Widgets' }, idp.now());
    const user = await idp.addUser();
    const browser = await signedInBrowser(idp);
    await addApp(idp, user.id);
    await proveFactors(idp, user.id);
    const page = await browser.get('/account/security/codes');
    const file = await browser.submit(page, { action: 'download' });
    expect(file.html).toContain(`Grimsby Widgets ${idp.issuer}\n`);
    const asked = {
      user_id: user.id,
      email: 'new@example.com',
      visit: { user_agent: '', address: '' },
      language: 'en',
    } as const;
    await expect(askForEmail(idp.deps, asked, idp.now())).rejects.toThrow('Whoever runs Grimsby Widgets');
    await expect(checkNewPassword(idp.deps, 'grimsbywidgets', { email: user.email })).rejects.toMatchObject({
      field: 'password',
    });
  });

  test('is on every page at once, escaped, with one style sheet', async () => {
    const idp = await startIdp({ engine });
    const browser = idp.browser();
    await browser.get('/login');
    await branded(idp);
    const { html, headers } = await browser.get('/login');
    expect(html).toContain('<span>Acme &lt;b&gt;</span>');
    expect(html).toContain('<title>Sign in – Acme &lt;b&gt;</title>');
    // Of each group of routes one.
    for (const path of ['/account', '/upstream/nobody/callback', '/no/such/page'])
      expect((await browser.get(path)).html, path).toContain('<span>Acme &lt;b&gt;</span>');
    expect(html).toContain('href="https://acme.example/help" rel="noopener noreferrer">Help</a>');
    expect(html.match(/rel="stylesheet"/g)).toHaveLength(1);
    expect(headers.get('content-security-policy')).toContain("style-src 'self';");
    const sheet = await browser.request(sheetOf(html));
    expect([sheet.status, sheet.headers.get('content-type')]).toEqual([200, 'text/css; charset=utf-8']);
    expect(sheet.headers.get('cache-control')).toContain('max-age=31536000');
    expect(sheet.html).toContain(':root{--accent:#7a1fa2;');
    expect(html.length + sheet.html.length).toBeLessThan(30 * 1024);
    const logo = await browser.request(/<img src="(\/logo[^"]*)"/.exec(html)?.[1] ?? '');
    expect([logo.status, logo.headers.get('content-type')]).toEqual([200, 'image/png']);
    expect((await browser.get('/nothing')).html).toContain('Acme &lt;b&gt;');
    expect((await eventsOf(idp, 'branding_changed')).map(({ detail }) => detail)).toEqual([
      'product_name accent help_uri privacy_uri logo',
    ]);
  });
});

describe('a style sheet', () => {
  test.each([
    ['', 'no colour'],
    ['?accent=fff', 'no six digits'],
    ['?accent=ffff00', 'a colour that cannot be read'],
    ['?accent=7a1fa2&dark=000000', 'a dark one that cannot be read'],
    ['?accent=7a1fa2}body{display:none', 'rules of its own'],
  ])('%s is not there: somebody asks for %s', async (query) => {
    const idp = await startIdp();
    expect((await idp.browser().request(`/style.css${encodeURI(query)}`)).status).toBe(404);
  });
});

describe('an application', () => {
  test('has its own colour on the pages about it', async () => {
    const idp = await startIdp();
    await branded(idp);
    await idp.addClient({ brand_color: '#0A5C2B' }, 'shop');
    const { html } = await idp.browser().get(authorizeUrl('shop'));
    expect(sheetOf(html)).toContain('accent=0a5c2b');
    expect(sheetOf((await idp.browser().get('/login')).html)).toContain('accent=7a1fa2');
  });

  test.each(['red', '#fff', '#ffff00', '#12345g'])('cannot have the colour %s', async (brand_color) => {
    const idp = await startIdp();
    await expect(idp.addClient({ brand_color })).rejects.toThrow('brand_color');
  });
});

describe('sallyport branding', () => {
  test('sets, shows and takes back', async () => {
    const idp = await startIdp();
    const { run, json } = commandsOf(idp);
    const logo = join(folder({ 'logo.png': '' }), 'logo.png');
    writeFileSync(logo, png);
    expect((await run('branding', 'show')).out).toBe('Nothing is set: the pages look as they come.\n');
    const set = await json('branding', 'set', '--name', 'Acme', '--accent', '#7A1FA2', '--logo', logo);
    expect(set).toEqual({ product_name: 'Acme', accent: '#7a1fa2', logo: 'image/png, 72 bytes' });
    expect(await json('branding', 'reset', 'accent', 'logo')).toEqual({ product_name: 'Acme' });
    expect(await json('branding', 'reset')).toEqual({});
  });

  test.each<[readonly string[], string]>([
    [['--accent', 'red'], 'A colour is written as #rrggbb.'],
    [['--accent', '#ff6600'], 'Text in #ff6600 cannot be read well on light pages: its contrast is 2.6'],
    [['--accent-dark', '#331100'], 'cannot be read well on dark pages'],
    [['--help-link', 'javascript:alert(1)'], 'A link must be an http or https address.'],
    [['--name', ''], 'The name must have 1 to 60 characters.'],
    [['--logo', 'package.json'], 'The logo must be a PNG, JPEG or WebP.'],
    [['--logo', 'views/assets/favicon.svg'], 'The logo must be a PNG, JPEG or WebP.'],
    [['--logo', 'nowhere.png'], 'nowhere.png: ENOENT'],
  ])('refuses %j', async (args, sentence) => {
    const idp = await startIdp();
    const { code, err } = await commandsOf(idp).run('branding', 'set', ...args);
    expect([code, err]).toEqual([1, expect.stringContaining(sentence)]);
  });
});

describe('the preview of the branding', () => {
  test('is for administrators alone', async () => {
    const idp = await startIdp();
    await idp.addUser();
    await idp.addUser({ email: 'admin@example.com', roles: ['admin'] });
    const guest = idp.browser();
    expect((await guest.request('/branding/preview')).headers.get('location')).toBe('/login');
    await signIn(guest, await guest.get('/login'));
    expect((await guest.get('/branding/preview')).status).toBe(403);
    const admin = idp.browser();
    await signIn(admin, await admin.get('/login'), { email: 'admin@example.com' });
    const { status, html } = await admin.get('/branding/preview?accent=%230a5c2b');
    expect([status, sheetOf(html)]).toEqual([200, expect.stringContaining('accent=0a5c2b')]);
    expect(html).toContain('On dark pages');
  });
});

describe('views of the operator', () => {
  test('stand in for ours, whole pages and parts of all', async () => {
    const VIEWS_DIR = folder({
      'login.ejs':
        "<%- include('_parts/head') -%><h1 id=\"own\"><%= t('login.title') %></h1><%- include('_parts/foot') -%>",
      '_parts/mark.ejs': '<b id="own-mark"></b>',
    });
    const idp = await startIdp({ settings: { VIEWS_DIR } });
    const { html } = await idp.browser().get('/login');
    expect(html).toContain('<h1 id="own">Sign in</h1>');
    expect(html).toContain('<b id="own-mark"></b>');
    expect((await idp.browser().get('/')).html).toContain('<b id="own-mark"></b>');
    expect((await (await startIdp()).browser().get('/login')).html).not.toContain('own-mark');
  });

  test('stand in for the parts of mails, each by itself', async () => {
    const VIEWS_DIR = folder({
      'mail/message.text.ejs':
        '<% for (const line of lines) { %><%= line %><% } %><% if (button) { %>\n=> <%= button.link %><% } %>',
    });
    const idp = await startIdp({ settings: { VIEWS_DIR } });
    await idp.addUser();
    const browser = idp.browser();
    await browser.submit(await browser.get('/forgot-password'), { email: 'ada@example.com' });
    const { id = '' } = (await mailRows(idp))[0] ?? {};
    const { html } = await browser.get(`/dev/mail/${id}`);
    expect(html).toContain('=&gt; http://127.0.0.1');
    const [letter] = await lettersOf(idp);
    expect(letter?.text).toMatch(/\n=> \S+\/reset-password\?token=\S+$/);
    expect(letter?.html).toContain('<!doctype html>');
  });

  test.each([
    [
      'a mail that lacks its link',
      { 'mail/message.html.ejs': '<%= lines[0] %>' },
      'message.html.ejs leaves out the link',
    ],
    [
      'a mail that lacks its code',
      { 'mail/message.text.ejs': '<%= button?.link %>' },
      'message.text.ejs leaves out the code',
    ],
    [
      'a mail that cannot be written',
      { 'mail/message.html.ejs': '<%= nothing %>' },
      'nothing is not defined',
    ],
    [
      'a mail that does not compile',
      { 'mail/message.html.ejs': '<% if (' },
      'message.html.ejs does not compile',
    ],
    ['a mail of another name', { 'mail/letter.ejs': 'x' }, 'letter.ejs is not the name of a view'],
    ['a name that is none of ours', { 'logni.ejs': 'x' }, 'logni.ejs is not the name of a view'],
    ['a file of another kind', { 'style.css': 'x' }, 'style.css is not the name of a view'],
    ['a view that does not compile', { 'login.ejs': '<% if (' }, 'login.ejs does not compile'],
  ])('stop the start: %s', async (_, files, sentence) => {
    const idp = await startIdp();
    const config = { ...idp.config, VIEWS_DIR: folder(files) };
    expect(() => createApp({ ...idp.deps, config })).toThrow(sentence);
  });

  test('stop the start: a folder that is not there', async () => {
    const idp = await startIdp();
    const config = { ...idp.config, VIEWS_DIR: join(folder({}), 'nowhere') };
    expect(() => createApp({ ...idp.deps, config })).toThrow('cannot be read');
  });
});
