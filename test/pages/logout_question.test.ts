/** Who is asked whether to sign out, and the form that asks. */
import { SignJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import { updateClient } from '../../src/actions/clients.js';
import { authorizeUrl, getTokens, redeem, responseOf, signIn } from '../support/flow.js';
import type { Form } from '../support/idp.js';
import { bye, isSignedIn, logoutUrl, outcomeOf, refused, signedOut, started } from '../support/sign_out.js';

const asked = [200, 'Sign out?'];

describe('the person is asked first', () => {
  test.each<
    [string, (world: Awaited<ReturnType<typeof started>>) => Promise<Form> | Form, readonly unknown[]]
  >([
    ['nothing is told (RIL-07)', () => ({}), signedOut],
    ['only a state is told (RIL-07)', () => ({ state: 's1' }), signedOut],
    ['only client_id is told', () => ({ client_id: 'shop' }), signedOut],
    [
      'client_id and its URI are told (RIL-03)',
      () => ({ client_id: 'shop', post_logout_redirect_uri: bye, state: 's1' }),
      ['sent away', `${bye}?state=s1`],
    ],
    [
      'a URI comes without a client (RIL-05)',
      () => ({ post_logout_redirect_uri: bye, state: 's1' }),
      signedOut,
    ],
    [
      'client_id is unknown (RIL-05)',
      () => ({ client_id: 'nobody', post_logout_redirect_uri: bye }),
      signedOut,
    ],
    [
      'the hint is that of another person (RIL-02)',
      async ({ idp, shop }) => {
        await idp.addUser({ email: 'grace@example.com' });
        const grace = idp.browser();
        const page = await grace.get(authorizeUrl('shop'));
        const { code = '' } = responseOf(await signIn(grace, page, { email: 'grace@example.com' }));
        const { body } = await redeem(idp, shop, code);
        return { id_token_hint: body.id_token, post_logout_redirect_uri: bye };
      },
      ['sent away', bye],
    ],
    [
      'the hint is of an earlier session (RIL-02)',
      async ({ idp, shop }) => ({
        id_token_hint: (await getTokens(idp, shop)).id_token, // in another browser
        post_logout_redirect_uri: bye,
      }),
      ['sent away', bye],
    ],
    ['the hint is rubbish (RIL-06)', () => hinted('rubbish'), signedOut],
    ['the hint was altered (RIL-06)', ({ id_token_hint }) => hinted(altered(id_token_hint)), signedOut],
    ['the hint says alg none (RIL-06)', ({ id_token_hint }) => hinted(unsigned(id_token_hint)), signedOut],
    [
      'the hint is signed by a foreign key (RIL-06)',
      ({ id_token_hint }) => foreign(id_token_hint).then(hinted),
      signedOut,
    ],
    [
      'the hint is of another issuer with the same key (RIL-06)',
      () => ofAnotherIssuer().then(hinted),
      signedOut,
    ],
    ['the hint is an access token', ({ tokens }) => hinted(tokens.access_token), signedOut],
  ])('where %s', async (_, request, outcome) => {
    const world = await started();
    const page = await world.browser.get(logoutUrl(await request(world)));
    expect(outcomeOf(page)).toEqual(asked);
    expect(await isSignedIn(world.browser)).toBe(true);

    expect(outcomeOf(await world.browser.submit(page, { action: 'sign_out' }))).toEqual(outcome);
    expect(await isSignedIn(world.browser)).toBe(false);
  });

  test('and may stay: nothing has ended', async () => {
    const { idp, browser, tokens } = await started();
    const page = await browser.get(logoutUrl({ client_id: 'shop', post_logout_redirect_uri: bye }));
    const stayed = await browser.submit(page, { action: 'stay' });
    expect(outcomeOf(stayed)).toEqual([200, 'You are signed in']);
    expect((await idp.userinfo(tokens.access_token)).status).toBe(200);
  });

  test('and may take their time: after more than 15 minutes it works all the same', async () => {
    const { idp, browser } = await started();
    const page = await browser.get(logoutUrl({ client_id: 'shop', post_logout_redirect_uri: bye }));
    idp.advance(16 * 60);
    expect(outcomeOf(await browser.submit(page, { action: 'sign_out' }))).toEqual(['sent away', bye]);
  });

  test('and nobody is sent to a URI that was taken from the client meanwhile', async () => {
    const { idp, browser } = await started();
    const page = await browser.get(logoutUrl({ client_id: 'shop', post_logout_redirect_uri: bye }));
    await updateClient(idp.deps, 'shop', { post_logout_redirect_uris: [] }, idp.now());
    expect(outcomeOf(await browser.submit(page, { action: 'sign_out' }))).toEqual(refused);
    expect(await isSignedIn(browser)).toBe(false);
  });
});

describe('the form that asks', () => {
  test.each<[string, Form, Record<string, string>]>([
    ['without its token', { csrf: '' }, {}],
    ['with a made-up token', { csrf: 'A'.repeat(43) }, {}],
    ['from another site (Fetch Metadata)', {}, { 'sec-fetch-site': 'cross-site' }],
    ['from another origin', {}, { origin: 'https://attacker.example' }],
  ])('somebody posts it %s: the session goes on (hardening 33, HTTP-17)', async (_, change, headers) => {
    const { browser } = await started();
    const page = await browser.get('/logout');
    const csrf = /name="csrf" value="([^"]*)"/.exec(page.html)?.[1];
    const again = await browser.post('/logout/confirm', { csrf, action: 'sign_out', ...change }, headers);
    expect(outcomeOf(again)).toEqual([403, 'Sign out?']); // the form again, this time with a good token
    expect(await isSignedIn(browser)).toBe(true);
    expect(outcomeOf(await browser.submit(again, { action: 'sign_out' }))).toEqual(signedOut);
  });

  test("somebody posts it with the token of their own browser: the victim's session goes on", async () => {
    const { idp, browser } = await started();
    const mallory = idp.browser();
    await signIn(mallory, await mallory.get('/login'));
    const theirs = /name="csrf" value="([^"]*)"/.exec((await mallory.get('/logout')).html)?.[1];
    const page = await browser.post('/logout/confirm', { csrf: theirs, action: 'sign_out' });
    expect([page.status, await isSignedIn(browser)]).toEqual([403, true]);
  });

  test('a sealed sign-in request does not open as a request to sign out', async () => {
    const { browser } = await started();
    const { url } = await browser.get(authorizeUrl('shop', { prompt: 'login' }));
    const sealed = new URL(url).searchParams.get('request') ?? '';
    expect((await browser.get(`/logout/confirm?request=${sealed}`)).status).toBe(403);
    expect((await browser.get(`/logout/resume?request=${sealed}`)).status).toBe(403);
  });
});

function hinted(id_token_hint: string): Form {
  return { id_token_hint, client_id: 'shop', post_logout_redirect_uri: bye };
}

/** Another subject under the old signature. */
function altered(id_token: string): string {
  const [header, payload = '', signature] = id_token.split('.');
  const claims = { ...JSON.parse(Buffer.from(payload, 'base64url').toString()), sub: 'somebody else' };
  return [header, Buffer.from(JSON.stringify(claims)).toString('base64url'), signature].join('.');
}

function unsigned(id_token: string): string {
  const header = Buffer.from(JSON.stringify({ alg: 'none', typ: 'JWT' })).toString('base64url');
  return `${header}.${id_token.split('.')[1]}.`;
}

/** The same header and claims, signed by somebody else. */
async function foreign(id_token: string): Promise<string> {
  const [header, payload] = id_token.split('.').map((part) => Buffer.from(part, 'base64url').toString());
  const { privateKey } = await crypto.subtle.generateKey(
    {
      name: 'RSASSA-PKCS1-v1_5',
      modulusLength: 2048,
      publicExponent: new Uint8Array([1, 0, 1]),
      hash: 'SHA-256',
    },
    false,
    ['sign'],
  );
  return new SignJWT(JSON.parse(payload ?? '')).setProtectedHeader(JSON.parse(header ?? '')).sign(privateKey);
}

/** All test servers begin with the same keys, so only `iss` tells. */
async function ofAnotherIssuer(): Promise<string> {
  const { idp, shop } = await started();
  return (await getTokens(idp, shop)).id_token;
}
