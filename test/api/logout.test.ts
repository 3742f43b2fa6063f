import { describe, expect, test } from 'vitest';
import { engines } from '../support/database.js';
import { cookiesOf, getMe, meOf, origin, ownClient, postJson, startSite } from '../support/first_party.js';
import { getTokens } from '../support/flow.js';
import { eventsOf } from '../support/shop.js';
import { bitOf } from '../support/status.js';

const path = '/users/logout';
const own = { client_id: 'site' };

describe.each(engines)('signing out on %s', (engine) => {
  test('of a page: the session, its tokens and both cookies are gone', async () => {
    const { idp, user, page, signedIn } = await startSite({ engine });
    const browser = await signedIn();
    const [access_token = '', refresh_token = ''] = ['access', 'refresh'].map((name) =>
      browser.cookies.get(`sallyport_${name}`),
    );
    expect(await bitOf(idp, access_token)).toBe(0);
    const answer = await page(browser, path);
    expect([answer.status, answer.body, answer.headers.get('cache-control')]).toEqual([204, '', 'no-store']);
    expect(cookiesOf(answer)).toEqual({
      sallyport_access: { value: '', attributes: 'Path=/; Max-Age=0; HttpOnly; SameSite=Lax' },
      sallyport_refresh: {
        value: '',
        attributes: 'Path=/users/refresh-token; Max-Age=0; HttpOnly; SameSite=Lax',
      },
    });
    expect((await meOf(idp, access_token)).status).toBe(401);
    await expect.poll(() => bitOf(idp, access_token)).toBe(1); // who verifies offline knows it, too
    const refreshed = await postJson(idp.browser(), '/users/refresh-token', { ...own, refresh_token });
    expect(refreshed.body.error).toBe('invalid_grant');
    expect(await eventsOf(idp, 'signed_out')).toMatchObject([{ user_id: user.id }]);
  });

  test.each([
    ['its access token', (tokens: { access_token: string }) => [{}, bearer(tokens.access_token)]],
    ['its refresh token', ({ refresh_token }: { refresh_token: string }) => [{ refresh_token }, {}]],
  ])('of a mobile app, by %s', async (_, held) => {
    const { idp, app, signIn } = await startSite({ engine });
    const tokens = await signIn();
    const another = await signIn();
    const [body, headers = {}] = held(tokens);
    expect((await app(path, { ...own, ...body }, headers)).status).toBe(204);
    expect((await meOf(idp, tokens.access_token)).status).toBe(401);
    const { refresh_token } = tokens;
    expect((await app('/users/refresh-token', { ...own, refresh_token })).body.error).toBe('invalid_grant');
    expect((await meOf(idp, another.access_token)).status).toBe(200); // another device stays
  });
});

const bearer = (access_token: string) => ({ authorization: `Bearer ${access_token}` });

describe('signing out', () => {
  test('with a pairwise subject ends the session of the person that it stands for (IDT-15)', async () => {
    const metadata = {
      ...{ subject_type: 'pairwise', redirect_uris: [`${origin}/cb`] },
      grant_types: ['authorization_code', 'refresh_token'],
    };
    const { idp, user, app, signIn } = await startSite({ metadata });
    const { access_token } = await signIn();
    const { body: me } = await meOf(idp, access_token);
    expect(me.sub).toMatch(/^[\w-]{43}$/);
    expect((await app(path, own, bearer(access_token))).status).toBe(204);
    expect((await meOf(idp, access_token)).status).toBe(401);
    const ended = await eventsOf(idp, 'signed_out');
    expect(ended).toMatchObject([{ user_id: user.id }]);
    expect(await eventsOf(idp, 'signed_in')).toMatchObject([{ session_id: ended[0]?.session_id }]);
  });

  test('works with tokens that have expired: they still say whose session it is', async () => {
    const { idp, page, app, signedIn, signIn } = await startSite();
    const browser = await signedIn();
    const tokens = await signIn();
    idp.advance(3600);
    expect((await page(browser, path)).status).toBe(204);
    expect((await app(path, own, bearer(tokens.access_token))).status).toBe(204);
    expect(await eventsOf(idp, 'signed_out')).toHaveLength(2);
  });

  test('twice, at once or without tokens is the same answer', async () => {
    const { idp, page, signedIn } = await startSite();
    const browser = await signedIn();
    const answers = await Promise.all([page(browser, path), page(browser, path)]);
    expect(answers.map(({ status }) => status)).toEqual([204, 204]);
    expect((await page(idp.browser(), path)).status).toBe(204);
    expect(await eventsOf(idp, 'signed_out')).toHaveLength(1);
  });

  test('by tokens of the code flow ends that session, and offline access with it', async () => {
    const code = { grant_types: ['authorization_code', 'refresh_token'] };
    const metadata = { ...code, redirect_uris: ['https://shop.example/cb'] };
    const { idp, client, app } = await startSite({ metadata });
    const browser = idp.browser();
    const wanted = { scope: 'openid offline_access', prompt: 'login' };
    const tokens = await getTokens(idp, { client, client_secret: null }, wanted, browser);
    expect((await app(path, own, bearer(tokens.access_token))).status).toBe(204);
    const { refresh_token } = tokens;
    expect((await app('/users/refresh-token', { ...own, refresh_token })).body.error).toBe('invalid_grant');
    expect((await browser.get('/')).html).not.toContain('ada@example.com');
  });

  test.each([
    ['another origin', {}, { origin: 'https://evil.example' }, 403, 'access_denied'],
    ['no Origin', {}, { origin: undefined }, 403, 'access_denied'],
    ['another site', {}, { 'sec-fetch-site': 'cross-site' }, 403, 'access_denied'],
    ['a form', {}, { 'content-type': 'application/x-www-form-urlencoded' }, 400, 'invalid_request'],
    ['nobody', { client_id: undefined }, {}, 400, 'invalid_request'],
    ['a client that may not', { client_id: 'shop' }, {}, 401, 'invalid_client'],
    ['a scheme without a token', {}, { authorization: 'Bearer' }, 400, 'invalid_request'],
  ])('asked for by %s ends nothing', async (_, changes, headers, status, error) => {
    const { idp, page, signedIn } = await startSite();
    await idp.addClient({}, 'shop');
    const browser = await signedIn();
    const answer = await page(browser, path, changes, headers);
    expect([answer.status, answer.body.error, cookiesOf(answer)]).toEqual([status, error, {}]);
    expect((await getMe(browser, { origin })).status).toBe(200);
  });

  test.each([
    ['rubbish', 'rubbish'],
    ['no MAC of ours', `${'A'.repeat(22)}.1.${'A'.repeat(43)}.${'A'.repeat(43)}`],
  ])('by a token that is %s is answered, and ends nothing', async (_, token) => {
    const { idp, app, signIn } = await startSite();
    const tokens = await signIn();
    expect((await app(path, { ...own, refresh_token: token })).status).toBe(204);
    expect((await app(path, own, bearer(token))).status).toBe(204);
    expect((await meOf(idp, tokens.access_token)).status).toBe(200);
  });

  test('by tokens of another client, or for an API, ends nothing (hardening 20)', async () => {
    const api = 'https://api.example.com';
    const { idp, app, signIn } = await startSite({ metadata: { scope: 'openid read' } });
    await idp.addClient(ownClient, 'other');
    await idp.addResource(api, 'read');
    const tokens = await signIn();
    const other = { client_id: 'other' };
    await app(path, other, bearer(tokens.access_token));
    await app(path, { ...other, refresh_token: tokens.refresh_token });
    expect((await meOf(idp, tokens.access_token)).status).toBe(200);

    const forApi = await signIn({ resource: api });
    await app(path, own, bearer(forApi.access_token));
    const { refresh_token } = forApi;
    expect((await app('/users/refresh-token', { ...own, refresh_token })).status).toBe(200);
  });
});
