import { decodeJwt } from 'jose';
import { describe, expect, test } from 'vitest';
import { disableClient, updateClient } from '../../src/actions/clients.js';
import { revokeSession, signOutEverywhere } from '../../src/actions/sessions.js';
import { disableUser, setPassword } from '../../src/actions/users.js';
import type { Browser } from '../support/browser.js';
import { engines } from '../support/database.js';
import {
  cookiesOf,
  getMe,
  meOf,
  origin,
  ownClient,
  postJson,
  type Site,
  startSite,
} from '../support/first_party.js';
import { atOnce, eventsOf } from '../support/shop.js';

const path = '/users/refresh-token';

/** The refresh token that a browser holds. */
const refreshIn = (browser: Browser) => browser.cookies.get('sallyport_refresh') ?? '';
const accessIn = (browser: Browser) => browser.cookies.get('sallyport_access') ?? '';

describe.each(engines)('refreshing on %s', (engine) => {
  test('in a mobile app: new tokens of the same session in the body', async () => {
    const { idp, app, signIn } = await startSite({ engine });
    const first = await signIn();
    idp.advance(600);
    expect((await meOf(idp, first.access_token)).status).toBe(401);
    const answer = await app(path, { client_id: 'site', refresh_token: first.refresh_token });
    expect([answer.status, cookiesOf(answer)]).toEqual([200, {}]);
    expect(answer.body.refresh_token).not.toBe(first.refresh_token);
    expect(decodeJwt(answer.body.access_token).sid).toBe(decodeJwt(first.access_token).sid);
    expect((await meOf(idp, answer.body.access_token)).status).toBe(200);
  });

  test('on a page: both cookies are replaced, and no token is in the body', async () => {
    const { idp, page, signedIn } = await startSite({ engine });
    const browser = await signedIn();
    const [access, refresh] = [accessIn(browser), refreshIn(browser)];
    idp.advance(600);
    expect((await getMe(browser, { origin })).status).toBe(401);
    const answer = await page(browser, path);
    expect([answer.status, Object.keys(answer.body)]).toEqual([200, ['expires_in', 'scope']]);
    const { sallyport_access, sallyport_refresh } = cookiesOf(answer);
    expect(sallyport_access?.attributes).toBe('Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax');
    expect(sallyport_refresh?.attributes).toContain('Path=/users/refresh-token; ');
    expect([accessIn(browser), refreshIn(browser)]).not.toContain(access);
    expect(refreshIn(browser)).not.toBe(refresh);
    expect((await getMe(browser, { origin })).status).toBe(200);
  });

  test('in twenty tabs at once: one rotation, the same successor for all, nobody is signed out (decisions 8)', async () => {
    const { idp, page, signedIn } = await startSite({ engine });
    const browser = await signedIn();
    const answers = await atOnce(20, () => page(browser, path));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    const successors = answers.map((answer) => cookiesOf(answer).sallyport_refresh?.value);
    expect(new Set(successors).size).toBe(1);
    expect(refreshIn(browser)).toBe(successors[0]);
    expect((await page(browser, path)).status).toBe(200);
    expect(await eventsOf(idp, 'refresh_token_reused')).toEqual([]);
  });

  test('with a stolen older cookie after the grace ends the family (RFC 9700 §4.14, RFT-03)', async () => {
    const { idp, page, signedIn } = await startSite({ engine });
    const browser = await signedIn();
    const stolen = refreshIn(browser);
    await page(browser, path);
    idp.advance(10);
    const thief = idp.browser();
    thief.cookies.set('sallyport_refresh', stolen);
    expect((await page(thief, path)).body.error).toBe('invalid_grant');
    expect((await page(browser, path)).body.error).toBe('invalid_grant');
    expect((await getMe(browser, { origin })).status).toBe(401);
    expect(await eventsOf(idp, 'refresh_token_reused')).toMatchObject([{ client_id: 'site' }]);
  });

  test.each<[string, (site: Site, sid: string) => Promise<unknown>]>([
    ['the session is revoked', ({ idp }, sid) => revokeSession(idp.deps, sid, idp.now())],
    ['all sessions are', ({ idp, user }) => signOutEverywhere(idp.deps, user.id, idp.now())],
    ['the person is disabled', ({ idp, user }) => disableUser(idp.deps, user.id, idp.now())],
    [
      'the password is changed',
      ({ idp, user }) => setPassword(idp.deps, user.id, 'another good password', idp.now()),
    ],
  ])('is over at once where %s elsewhere (decisions 30)', async (_, end) => {
    const site = await startSite({ engine });
    const tokens = await site.signIn();
    const browser = await site.signedIn();
    for (const access_token of [tokens.access_token, accessIn(browser)])
      await end(site, String(decodeJwt(access_token).sid)).catch(() => undefined);
    expect((await meOf(site.idp, tokens.access_token)).status).toBe(401);
    expect((await getMe(browser, { origin })).status).toBe(401);
    expect((await site.page(browser, path)).body.error).toBe('invalid_grant');
    const answer = await site.app(path, { client_id: 'site', refresh_token: tokens.refresh_token });
    expect([answer.status, answer.body.error]).toEqual([400, 'invalid_grant']);
  });
});

test('an application that refreshes keeps its session awake, as long as a session may live', async () => {
  const { idp, app, signIn } = await startSite({
    settings: { SESSION_IDLE_SECONDS: '1000', SESSION_MAX_SECONDS: '2500' },
  });
  let { refresh_token } = await signIn();
  const refresh = () => app(path, { client_id: 'site', refresh_token });
  for (const _ of [1, 2]) {
    idp.advance(900);
    refresh_token = (await refresh()).body.refresh_token;
  }
  idp.advance(701);
  expect((await refresh()).body.error).toBe('invalid_grant');
});

test('a token that came in the body is answered in the body, also to a page that has cookies', async () => {
  const { app, signIn, signedIn } = await startSite();
  const browser = await signedIn();
  const before = [accessIn(browser), refreshIn(browser)];
  const { refresh_token } = await signIn();
  const answer = await postJson(browser, path, { client_id: 'site', refresh_token }, { origin });
  expect([answer.status, 'refresh_token' in answer.body]).toEqual([200, true]);
  expect([accessIn(browser), refreshIn(browser)]).toEqual(before);
  expect((await app(path, { client_id: 'site', refresh_token })).status).toBe(200);
});

test('a client whose registration lost the grant refreshes no more (hardening 22)', async () => {
  const redirects = { redirect_uris: ['https://www.example.com/cb'] };
  const { idp, app, signIn } = await startSite({ metadata: redirects });
  const { refresh_token } = await signIn();
  await updateClient(idp.deps, 'site', { grant_types: ['authorization_code'] }, idp.now());
  const answer = await app(path, { client_id: 'site', refresh_token });
  expect([answer.status, answer.body.error]).toEqual([400, 'unauthorized_client']);
});

test('a refresh cookie that another host of the site put there signs nobody in as somebody else', async () => {
  const { idp, page, signedIn } = await startSite();
  await idp.addUser({ email: 'grace@example.com' });
  const evil = await signedIn(idp.browser(), { email: 'grace@example.com' });
  const [victim, stranger] = [await signedIn(), idp.browser()];
  const own = refreshIn(victim);
  for (const browser of [victim, stranger]) {
    browser.cookies.set('sallyport_refresh', refreshIn(evil));
    const answer = await page(browser, path);
    expect([answer.status, answer.body.error]).toEqual([400, 'invalid_grant']);
  }
  idp.advance(100); // no grace: neither of the tokens was replaced
  victim.cookies.set('sallyport_refresh', own);
  for (const browser of [victim, evil]) expect((await page(browser, path)).status).toBe(200);
});

describe('a refresh is refused, and the token goes on,', () => {
  test.each([
    ['from another origin', {}, { origin: 'https://evil.example' }, 403, 'access_denied'],
    ['from a hidden origin', {}, { origin: 'null' }, 403, 'access_denied'],
    ['without Origin', {}, { origin: undefined }, 403, 'access_denied'],
    ['from another site', {}, { 'sec-fetch-site': 'cross-site' }, 403, 'access_denied'],
    ['as a form', {}, { 'content-type': 'application/x-www-form-urlencoded' }, 400, 'invalid_request'],
    ['as plain text', {}, { 'content-type': 'text/plain' }, 400, 'invalid_request'],
    ['without a client', { client_id: '' }, {}, 400, 'invalid_request'],
    ['by an unknown client', { client_id: 'nobody' }, {}, 401, 'invalid_client'],
    ['by another client', { client_id: 'other' }, {}, 400, 'invalid_grant'],
    ['for more than was granted', { scope: 'openid phone' }, {}, 400, 'invalid_scope'],
    ['for an unknown resource', { resource: 'https://x.example' }, {}, 400, 'invalid_target'],
    ['for another resource alone', { resource: 'https://api.example.com' }, {}, 400, 'invalid_target'],
  ])('%s', async (_, changes, headers, status, error) => {
    const { idp, page, signedIn, credentials } = await startSite();
    await idp.addClient(ownClient, 'other');
    await idp.addResource('https://api.example.com', 'read');
    const resource = [idp.issuer, 'https://api.example.com'];
    const browser = await signedIn(idp.browser(), { ...credentials, scope: 'openid', resource });
    const before = refreshIn(browser);
    const answer = await page(browser, path, changes, headers);
    expect([answer.status, answer.body.error]).toEqual([status, error]);
    expect(refreshIn(browser)).toBe(before);
    idp.advance(100); // no grace: the token was not replaced
    expect((await page(browser, path)).status).toBe(200);
  });

  test('a disabled client', async () => {
    const { idp, app, signIn } = await startSite();
    const { refresh_token } = await signIn();
    await disableClient(idp.deps, 'site', true, idp.now());
    expect((await app(path, { client_id: 'site', refresh_token })).body.error).toBe('invalid_client');
  });

  test.each([
    ['nothing', undefined],
    ['rubbish', 'rubbish'],
    ['a token that we never made', `${'A'.repeat(22)}.1.${'A'.repeat(43)}.${'A'.repeat(43)}`],
  ])('a browser that holds %s', async (_, value) => {
    const { idp, page } = await startSite();
    const browser = idp.browser();
    if (value !== undefined) browser.cookies.set('sallyport_refresh', value);
    const answer = await page(browser, path);
    expect([answer.status, answer.body.error]).toEqual([400, 'invalid_grant']);
  });
});
