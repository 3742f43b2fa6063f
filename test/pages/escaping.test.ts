import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { updateClient } from '../../src/actions/clients.js';
import { offerClaim } from '../../src/actions/setup.js';
import { parameterText } from '../support/arbitraries.js';
import { unescapeHtml } from '../support/browser.js';
import { authorizeUrl, signIn } from '../support/flow.js';
import { formBody, redirect_uri, startIdp, type TestIdp } from '../support/idp.js';
import { addStranger } from '../support/registration.js';

const hostile = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' autofocus onfocus=alert(1) x='",
  '</title></h1></bdi><svg onload=alert(1)>',
  '<%- include("/etc/passwd") %>',
  '&lt;script&gt;&#60;script&#62;',
  'javascript:alert(1)',
  '{{constructor.constructor("alert(1)")()}}',
];

/** Tags of a page, with their attributes' names. Whatever a text adds to a page shows up here. */
function skeletonOf(html: string): string {
  const tags = html.match(/<[!/a-z][^>"]*(?:"[^"]*"[^>"]*)*>/gi) ?? [];
  return tags.map((tag) => tag.replaceAll(/="[^"]*"/g, '=')).join('\n');
}

/** What every page looks like where the texts of a client, a person and a request are `text`. */
async function pagesWith(text: string): Promise<Readonly<Record<string, string>>> {
  const idp = await startIdp();
  await idp.addUser({ claims: { name: text }, roles: ['admin'] });
  const usual = { client_uri: 'https://shop.example/', initiate_login_uri: 'https://shop.example/start' };
  await idp.addClient({ client_name: text, first_party: false, ...usual }, 'shop');
  await addStranger(idp, { client_name: text, redirect_uris: [redirect_uri] }, 'stranger');
  const browser = idp.browser();
  const login = await browser.get(authorizeUrl('shop', { login_hint: text }));
  const wrong = await signIn(browser, login, { email: text, password: 'wrong' });
  const consent = await signIn(browser, login);
  const post = { response_mode: 'form_post', prompt: 'none', state: text };
  return {
    login: login.html,
    'login with an error': wrong.html,
    consent: consent.html,
    'account chooser': (await browser.get(authorizeUrl('shop', { prompt: 'select_account' }))).html,
    logout: (await browser.get('/logout?client_id=shop')).html,
    'signed out': (await browser.get('/signed-out?client_id=shop')).html,
    'start page': (await browser.get('/')).html,
    'error for a stranger': (await browser.get(authorizeUrl('stranger', { response_type: 'x' }))).html,
    'the same as a form': (await browser.get(authorizeUrl('stranger', post))).html,
    'form post': (await browser.get(authorizeUrl('shop', post))).html,
    'error about a redirect URI': (await browser.get(authorizeUrl('shop', { redirect_uri: text }))).html,
    'error about a client': (await browser.get(authorizeUrl(text))).html,
    'error about a sealed request': (await browser.get(`/login?${formBody({ request: text })}`)).html,
    'no such page': (await browser.get(`/${encodeURIComponent(text)}`)).html,
    ...(await claimWith(text)),
  };
}

/** Pages that do not say it, or cut it in two to mark a difference. */
const withoutIt = ['error about a redirect URI', 'error about a sealed request', 'no such page'];

async function claimWith(text: string): Promise<Readonly<Record<string, string>>> {
  const idp = await startIdp();
  const { pathname, search } = new URL((await offerClaim(idp.deps, idp.now())) ?? '');
  const browser = idp.browser();
  const page = await browser.submit(await browser.get(pathname + search), { email: text, name: text });
  return { claim: page.html };
}

describe('a hostile text stays a text in every page: somebody names an application, a person or a hint (hardening 17)', () => {
  test.each(hostile)('%s', async (text) => {
    const harmless = await pagesWith('x'.repeat(text.length));
    for (const [name, html] of Object.entries(await pagesWith(text))) {
      expect(skeletonOf(html), name).toBe(skeletonOf(harmless[name] ?? ''));
      if (!withoutIt.includes(name)) expect(unescapeHtml(html), name).toContain(text);
    }
  });
});

describe('whatever a login hint, a state or a client is named', () => {
  let idp: TestIdp;
  beforeEach(async () => {
    idp = await startIdp();
    await idp.addClient({}, 'shop');
  });

  test('a login hint comes back as it was, and adds nothing to the page', async () => {
    const usual = await idp.browser().get(authorizeUrl('shop', { login_hint: 'x' }));
    await fc.assert(
      fc.asyncProperty(parameterText(), async (login_hint) => {
        const { html } = await idp.browser().get(authorizeUrl('shop', { login_hint }));
        expect(skeletonOf(html)).toBe(skeletonOf(usual.html));
        expect(unescapeHtml(/id="email"[^>]* value="([^"]*)"/.exec(html)?.[1] ?? '')).toBe(login_hint);
      }),
      { numRuns: 40 },
    );
  });

  test('a state goes to the application as it was, and adds nothing to the form', async () => {
    const request = { response_mode: 'form_post', prompt: 'none' };
    const usual = await idp.browser().get(authorizeUrl('shop', { ...request, state: 'x' }));
    await fc.assert(
      fc.asyncProperty(parameterText(), async (state) => {
        const { html } = await idp.browser().get(authorizeUrl('shop', { ...request, state }));
        expect(skeletonOf(html)).toBe(skeletonOf(usual.html));
        expect(unescapeHtml(/name="state" value="([^"]*)"/.exec(html)?.[1] ?? '')).toBe(state);
      }),
      { numRuns: 40 },
    );
  });

  test('a name of a client adds nothing to the page', async () => {
    const usual = await idp.browser().get(authorizeUrl('shop'));
    const names = parameterText()
      .filter((text) => !/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u.test(text))
      .map((text) => `A${text}`);
    await fc.assert(
      fc.asyncProperty(names, async (client_name) => {
        idp.advance(120); // caches are looked at again
        await updateClient(idp.deps, 'shop', { client_name }, idp.now());
        const { html } = await idp.browser().get(authorizeUrl('shop'));
        expect(skeletonOf(html)).toBe(skeletonOf(usual.html));
        expect(unescapeHtml(html)).toContain(client_name.trim());
      }),
      { numRuns: 25 },
    );
  });
});

test.each(['client_uri', 'logo_uri', 'policy_uri', 'tos_uri'])(
  'somebody registers %s with a scheme that runs scripts: it is refused (hardening 17)',
  async (member) => {
    const idp = await startIdp();
    for (const uri of [
      'javascript:alert(1)',
      'JaVaScRiPt:alert(1)',
      'data:text/html,x',
      'vbscript:x',
      'file:///etc/passwd',
    ])
      await expect(idp.addClient({ [member]: uri }), uri).rejects.toThrow(member);
  },
);
