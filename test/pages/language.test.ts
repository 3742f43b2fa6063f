import { describe, expect, test } from 'vitest';
import { newClientKey } from '../support/assertion.js';
import { authorizeUrl, goodRequest, signIn } from '../support/flow.js';
import { formBody, startIdp, type TestIdp } from '../support/idp.js';
import { come, pushed } from '../support/pushed.js';
import { startSigning } from '../support/request_object.js';

type Headers = Record<string, string>;

const langOf = (html: string) => /<html lang="([a-z]+)" dir="([a-z]+)">/.exec(html)?.slice(1).join(' ');

/** Presses one of the languages at the foot of a page. */
function choose(browser: ReturnType<TestIdp['browser']>, to: string, headers: Headers = {}, back?: string) {
  const query = new URLSearchParams({ to, ...(back !== undefined && { back }) });
  return browser.request(`/language?${query}`, { headers: { 'sec-fetch-site': 'same-origin', ...headers } });
}

describe('the language of a page is', () => {
  test.each<[string, string | null, Headers, string]>([
    ['the default, where nobody names one', null, {}, 'en ltr'],
    ['that of the browser', null, { 'accept-language': 'de-AT, en;q=0.5' }, 'de ltr'],
    ['the next one, where ours lack the first', null, { 'accept-language': 'tlh, ja;q=0.5' }, 'ja ltr'],
    ['written from right to left where it is', null, { 'accept-language': 'ar-EG' }, 'ar rtl'],
    [
      'that of ui_locales, whatever the browser says (AUT-19)',
      'fr-CA de',
      { 'accept-language': 'ja' },
      'fr ltr',
    ],
    [
      'the browser’s, where ui_locales names none of ours (AUT-18)',
      'tlh x',
      { 'accept-language': 'es' },
      'es ltr',
    ],
  ])('%s', async (_, ui_locales, headers, expected) => {
    const idp = await startIdp();
    await idp.addClient({}, 'shop');
    const browser = idp.browser();
    const at = await browser.request(authorizeUrl('shop', ui_locales === null ? {} : { ui_locales }));
    const { html } = await browser.request(at.headers.get('location') ?? '', { headers });
    expect(langOf(html)).toBe(expected);
  });

  test('that of ui_locales where a form asked, and the answer is an error (AUT-01)', async () => {
    const idp = await startIdp();
    const body = new URLSearchParams({ client_id: 'nobody', ui_locales: 'de' });
    const page = await idp.browser().request('/authorize', { method: 'POST', body });
    expect([page.status, page.html.includes('<html lang="de"')]).toEqual([400, true]);
  });

  const key = newClientKey('ES256');
  const asked = { ui_locales: 'fr', response_mode: 'form_post' };
  test.each<
    [string, (setting: Awaited<ReturnType<typeof startSigning>>) => Promise<{ readonly html: string }>]
  >([
    ['by a link', ({ browser }) => browser.get(authorizeUrl('shop', asked))],
    [
      'by a form',
      ({ browser }) =>
        browser.follow(
          browser.request('/authorize', {
            method: 'POST',
            body: formBody({ client_id: 'shop', ...goodRequest, ...asked }),
          }),
        ),
    ],
    [
      'by a link, and is refused',
      ({ browser }) => browser.get(authorizeUrl('shop', { ...asked, max_age: 'x' })),
    ],
    [
      'ahead of time (RFC 9126)',
      async ({ idp, shop, browser }) => come(browser, 'shop', await pushed(idp, shop, asked)),
    ],
    ['in a JWT (RFC 9101)', async ({ object, send }) => send(await object({ claims: asked }))],
    [
      'in a JWT, and is refused',
      async ({ object, send }) => send(await object({ claims: { ...asked, max_age: 'x' } })),
    ],
    [
      'by a link, and somebody signs in',
      async ({ idp }) => {
        const browser = idp.browser();
        return signIn(browser, await browser.get(authorizeUrl('shop', asked)));
      },
    ],
  ])(
    'that of ui_locales where the answer goes back by a page, and was asked for %s (AUT-19)',
    async (_, ask) => {
      const { html } = await ask(await startSigning(await key));
      expect([langOf(html), /<form method="post" action="https:[^"]*"/.test(html)]).toEqual(['fr ltr', true]);
    },
  );

  test('that of ui_locales on the way out, too: the question, the end, and an error (RIL-01)', async () => {
    const idp = await startIdp();
    await idp.addUser();
    const browser = idp.browser();
    await signIn(browser, await browser.get('/login'));
    const question = await browser.get('/logout?ui_locales=ja');
    expect(langOf(question.html)).toBe('ja ltr');
    const end = await browser.submit(question, { action: 'sign_out' });
    expect(langOf(end.html)).toBe('ja ltr');
    expect(langOf((await browser.get('/authorize?client_id=nobody&ui_locales=ar')).html)).toBe('ar rtl');
  });

  test('that of the setting, where nobody names one', async () => {
    const idp = await startIdp({ settings: { DEFAULT_LANGUAGE: 'es' } });
    expect(langOf((await idp.browser().get('/login')).html)).toBe('es ltr');
  });

  test('the one chosen at its foot, from then on', async () => {
    const idp = await startIdp();
    const browser = idp.browser();
    const answer = await choose(browser, 'ja');
    expect(answer.status).toBe(303);
    expect(answer.headers.get('set-cookie')).toMatch(/language=ja\.\d+; Path=\/; Max-Age=31536000; HttpOnly/);
    const { html } = await browser.request('/login', { headers: { 'accept-language': 'de' } });
    expect(langOf(html)).toBe('ja ltr');
  });

  test('the one chosen at its foot, also where the application asked for another before', async () => {
    const idp = await startIdp();
    await idp.addClient({}, 'shop');
    const browser = idp.browser();
    const login = await browser.get(authorizeUrl('shop', { ui_locales: 'fr' }));
    const back = /name="back" value="([^"]+)"/.exec(login.html)?.[1] ?? '';
    idp.advance(5);
    const answer = await choose(browser, 'de', {}, back);
    const again = await browser.get(answer.headers.get('location') ?? '');
    expect(langOf(again.html)).toBe('de ltr');
    idp.advance(5);
    expect(langOf((await browser.get(authorizeUrl('shop', { ui_locales: 'fr' }))).html)).toBe('fr ltr');
  });

  test('kept where the form is shown again with an error, and the way back has the request', async () => {
    const idp = await startIdp();
    await idp.addUser();
    await idp.addClient({}, 'shop');
    const browser = idp.browser();
    const login = await browser.get(authorizeUrl('shop', { ui_locales: 'de' }));
    const { html } = await signIn(browser, login, { password: 'wrong' });
    expect(html).toContain('Die E-Mail-Adresse oder das Passwort stimmt nicht.');
    expect(html).toMatch(/name="back" value="\/login\?request=/);
  });
});

describe('the choice of a language', () => {
  test.each([
    ['/login?request=x', '/login?request=x'],
    ['http://127.0.0.1:PORT/consent?request=y', '/consent?request=y'],
    ['https://attacker.example/', '/'],
    ['/authorize?client_id=x&ui_locales=fr', '/authorize?client_id=x'],
    ['//attacker.example/login', '/'],
    ['/\\attacker.example/', '/'],
    ['/login/..//attacker.example', '/'],
    ['javascript:alert(1)', '/'],
    ['http://[', '/'],
    ['', '/'],
  ])('goes back to %j as %s: somebody sends people elsewhere by our address', async (back, expected) => {
    const idp = await startIdp();
    const given = back.replace('http://127.0.0.1:PORT', new URL(idp.issuer).origin);
    const answer = await choose(idp.browser(), 'de', {}, given);
    expect([answer.status, answer.headers.get('location')]).toEqual([303, expected]);
    const referred = await choose(idp.browser(), 'de', { referer: given });
    expect(referred.headers.get('location')).toBe(expected);
  });

  test('changes nothing for a page of another site that makes the browser ask', async () => {
    const idp = await startIdp();
    const answer = await choose(idp.browser(), 'de', { 'sec-fetch-site': 'cross-site' });
    expect([answer.status, answer.headers.get('set-cookie') ?? '']).toEqual([
      303,
      expect.not.stringContaining('language'),
    ]);
  });

  test.each(['', 'tlh', 'DE', '../de'])('refuses %j', async (to) => {
    const idp = await startIdp();
    const answer = await choose(idp.browser(), to);
    expect(answer.status).toBe(400);
  });

  test.each(['tlh.1', 'de', 'de.x', '..', '-'])('a cookie that says %j breaks nothing', async (value) => {
    const idp = await startIdp();
    const answer = await idp
      .browser()
      .request('/login', { headers: { cookie: `sallyport_language=${value}` } });
    expect(answer.status).toBe(200);
  });
});
