import { describe, expect, test } from 'vitest';
import { change, logoutsOf, withApplication } from '../../support/account.js';
import { ask, headingOf, signedInBrowser } from '../../support/authorize.js';
import { engines } from '../../support/database.js';
import { getTokens, redeem, refresh, responseOf } from '../../support/flow.js';
import { type IdpOptions, startIdp } from '../../support/idp.js';
import { atOnce, eventsOf } from '../../support/shop.js';

const backchannel_logout_uri = 'https://shop.example/logout';

async function start(options: IdpOptions = {}, metadata: object = {}) {
  const idp = await startIdp(options);
  await idp.addUser();
  const shop = await idp.addClient({ first_party: false, backchannel_logout_uri, ...metadata }, 'shop');
  return { idp, shop };
}

const withdraw = { client_id: 'shop', action: 'withdraw' };

/** The words about each application, without markup. */
const textOf = (html: string) =>
  (/<ul class="items rows" id="applications">([\s\S]*?)<\/main>/.exec(html)?.[1] ?? '').replaceAll(
    /<[^>]*>|\s+/g,
    ' ',
  );

describe.each(engines)('an application that was allowed, on %s,', (engine) => {
  test('is listed with what it sees, since when and its last use; taking access back ends all of it at once', async () => {
    const { idp, shop } = await start({ engine });
    const browser = await withApplication(idp, 'openid email profile offline_access');
    const page = await ask(browser, 'shop', { scope: 'openid email profile offline_access' });
    const { body: tokens } = await redeem(idp, shop, responseOf(page).code ?? '');
    idp.advance(3600);
    expect((await refresh(idp, shop, tokens.refresh_token)).status).toBe(200);
    const { html } = await browser.get('/account/applications');
    expect(textOf(html)).toMatch(
      /Shop .*Also while you are away .*Gets: That you signed in, .*email address.* Allowed on .* Last used:/,
    );

    const after = await change(browser, '/account/applications', withdraw);
    expect([after.status, after.html.includes('That application has no access any more.')]).toEqual([
      200,
      true,
    ]);
    expect(after.html).toContain('No application has access to your account.');
    expect((await refresh(idp, shop, tokens.refresh_token)).body.error).toBe('invalid_grant');
    expect((await idp.userinfo(tokens.access_token)).status).toBe(401);
    expect(await logoutsOf(idp)).toEqual(['shop']);
    expect(await eventsOf(idp, 'consent_withdrawn')).toMatchObject([{ client_id: 'shop' }]);
    // It asks again, and silently it gets nothing.
    expect(headingOf(await ask(browser, 'shop'))).toBe('Allow Shop to use your account?');
    expect(responseOf(await ask(browser, 'shop', { prompt: 'none' })).error).toBe('consent_required');
  });

  test('and a code on its way are taken back together: the code is worth nothing', async () => {
    const { idp, shop } = await start({ engine });
    const browser = await withApplication(idp);
    const { code = '' } = responseOf(await ask(browser, 'shop', { scope: 'openid email' }));
    await change(browser, '/account/applications', withdraw);
    expect((await redeem(idp, shop, code)).body.error).toBe('invalid_grant');
  });

  test('is taken back once by twenty at the same moment', async () => {
    const { idp } = await start({ engine });
    const browser = await withApplication(idp);
    const pages = await atOnce(20, () => change(browser, '/account/applications', withdraw));
    expect(pages.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(await eventsOf(idp, 'consent_withdrawn')).toHaveLength(1);
  });

  test('by another person, too, is taken back from one alone', async () => {
    const { idp, shop } = await start({ engine });
    await idp.addUser({ email: 'bob@example.com' });
    const bob = await signedInBrowser(idp, 'bob@example.com');
    const page = await bob.submit(await ask(bob, 'shop'), { action: 'allow' });
    const { body } = await redeem(idp, shop, responseOf(page).code ?? '');
    const ada = await withApplication(idp);
    await change(ada, '/account/applications', withdraw);
    expect((await refresh(idp, shop, body.refresh_token)).status).toBe(200);
    expect(textOf((await bob.get('/account/applications')).html)).toContain('Shop');
  });
});

describe('an application of the operator’s own', () => {
  test('is listed, although nobody was asked; taken back, it has nothing until the next sign-in', async () => {
    const { idp, shop } = await start({}, { first_party: true });
    const browser = await signedInBrowser(idp);
    const { refresh_token } = await getTokens(idp, shop, { scope: 'openid email' }, browser);
    const { html } = await browser.get('/account/applications');
    expect(textOf(html)).toMatch(
      /Shop .*email address.* In use since .* Last used: .* It belongs to Sallyport/,
    );
    await change(browser, '/account/applications', withdraw);
    expect((await refresh(idp, shop, refresh_token)).status).toBe(400);
    expect((await browser.get('/account/applications')).html).toContain('No application has access');
    expect((await getTokens(idp, shop, {}, browser)).access_token).toBeTruthy();
  });
});

test('what has ended is not listed: a session that ended takes with it what hung on it', async () => {
  const { idp, shop } = await start({}, { first_party: true });
  const browser = await signedInBrowser(idp);
  await getTokens(idp, shop, {}, browser);
  const other = await signedInBrowser(idp);
  await change(other, '/account/sessions', { action: 'end_others' });
  expect((await other.get('/account/applications')).html).toContain('No application has access');
});

test('the consent page says where it can be taken back', async () => {
  const { idp } = await start();
  const page = await ask(await signedInBrowser(idp), 'shop');
  expect(page.html).toContain('You can take this back at any time in your account, under Applications.');
});
