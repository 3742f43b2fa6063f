/** Getting more than the consent page showed, or than the operator registered. protocol.md INT-12; hardening row 22. */
import { decodeJwt } from 'jose';
import { describe, expect, test } from 'vitest';
import { updateClient } from '../../src/actions/clients.js';
import { removeResource, updateResource } from '../../src/actions/resources.js';
import { ask, codeOf, kindOf, signedInBrowser } from '../support/authorize.js';
import type { Browser } from '../support/browser.js';
import { redeem } from '../support/flow.js';
import { basic, type Form, startIdp } from '../support/idp.js';
import { startShop } from '../support/shop.js';

const files = 'https://files.example';
const bank = 'https://bank.example';

async function start(metadata: object = {}) {
  const idp = await startIdp();
  await idp.addUser();
  await idp.addResource(files, 'read', 'write');
  await idp.addResource(bank, 'read', 'write');
  const shop = await idp.addClient({ scope: 'openid read write', first_party: false, ...metadata }, 'shop');
  return { idp, shop, browser: await signedInBrowser(idp) };
}

/** Asks, expects the consent page, and agrees. */
async function agree(browser: Browser, changes: Form): Promise<string> {
  const page = await ask(browser, 'shop', changes);
  expect(kindOf(page)).toBe('/consent');
  return codeOf(await browser.submit(page, { action: 'allow' }));
}

describe('an application that was allowed two things', () => {
  test('does not put them together: write here and read there are not write there', async () => {
    const { browser } = await start();
    await agree(browser, { scope: 'openid write', resource: files });
    await agree(browser, { scope: 'openid read', resource: bank });
    const put_together = await ask(browser, 'shop', { scope: 'openid write', resource: bank });
    expect(kindOf(put_together)).toBe('/consent');
    expect(put_together.html).toContain(bank);
    expect(put_together.html).toContain('<li><bdi>write</bdi></li>');

    const both = { scope: 'openid read write', resource: [files, bank] };
    expect(kindOf(await ask(browser, 'shop', both))).toBe('/consent');
    expect(codeOf(await ask(browser, 'shop', { scope: 'openid read', resource: bank }))).not.toBe('');
  });

  test('does not leave out the resource either: its default_resource is shown and agreed to like any other', async () => {
    const { idp, shop, browser } = await start({ default_resource: bank });
    await agree(browser, { scope: 'openid write', resource: files });
    await agree(browser, { scope: 'openid read', resource: bank });
    const silent = await ask(browser, 'shop', { scope: 'openid write' });
    expect(kindOf(silent)).toBe('/consent');
    expect(silent.html).toContain(`Acting for you at <bdi>${bank}</bdi>`);
    const { body } = await redeem(idp, shop, codeOf(await browser.submit(silent, { action: 'allow' })));
    expect(decodeJwt(body.access_token)).toMatchObject({ aud: bank, scope: 'write' });
  });

  test('asks again when a resource is given a scope that was agreed to elsewhere', async () => {
    const { idp, browser } = await start();
    await updateResource(idp.deps, bank, { scope: ['read'] }, idp.now());
    idp.advance(2);
    await agree(browser, { scope: 'openid read write', resource: bank });
    await updateResource(idp.deps, bank, { scope: ['read', 'write'] }, idp.now());
    expect(kindOf(await ask(browser, 'shop', { scope: 'openid read write', resource: bank }))).toBe(
      '/consent',
    );
  });
});

describe('the claims parameter is no way around the scope that a client is registered for', () => {
  const wanted = { roles: null, email: { essential: true }, name: null };
  const claims = JSON.stringify({ id_token: wanted, userinfo: wanted });

  test('an application of the operator that may only know who signed in learns nothing more', async () => {
    const { idp, shop, browser } = await start({ scope: 'openid profile', first_party: true });
    const { body } = await redeem(idp, shop, codeOf(await ask(browser, 'shop', { claims })));
    const id_token = decodeJwt(body.id_token);
    expect([id_token.roles, id_token.email, id_token.name]).toEqual([undefined, undefined, 'Ada Lovelace']);
    const userinfo = await idp.userinfo(body.access_token);
    expect(Object.keys(userinfo.body).sort()).toEqual(['name', 'sub']);
  });

  test('and the consent page does not offer what would not be given', async () => {
    const { browser } = await start();
    const page = await ask(browser, 'shop', { claims });
    expect(kindOf(page)).toBe('/consent');
    expect(page.html).not.toContain('Single details');
  });
});

describe('a client from which something was taken', () => {
  test('does not keep a scope or a claim through its refresh token or its code (hardening 22)', async () => {
    const claims = JSON.stringify({ userinfo: { phone_number: null }, id_token: { phone_number: null } });
    const shop = await startShop({
      metadata: { scope: 'openid email phone' },
      user: { claims: { phone_number: '+1 555 0100' } },
    });
    const scope = 'openid email';
    const { refresh_token } = await shop.tokens({ scope, claims });
    const code = await shop.code({ scope, claims });
    await updateClient(shop.idp.deps, 'shop', { scope: 'openid' }, shop.idp.now());
    for (const { body } of [await shop.refresh(refresh_token), await shop.redeem(code)]) {
      expect(body.scope).toBe('openid');
      const id_token = decodeJwt(body.id_token);
      expect([id_token.email, id_token.phone_number]).toEqual([undefined, undefined]);
      expect(Object.keys((await shop.idp.userinfo(body.access_token)).body)).toEqual(['sub']);
    }
    expect((await shop.refresh(refresh_token, { scope })).body.scope).toBe('openid'); // ignored, as at authorization
  });

  test('gets no more tokens for a resource that was removed, through its refresh token, its code or by default', async () => {
    const shop = await startShop({
      metadata: {
        scope: 'openid read',
        grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
        default_resource: bank,
      },
    });
    await shop.idp.addResource(bank, 'read');
    await shop.idp.addResource(files, 'read');
    const { refresh_token } = await shop.tokens({ scope: 'openid read', resource: bank });
    const both = await shop.tokens({ scope: 'openid read', resource: [bank, files] });
    const code = await shop.code({ scope: 'openid read', resource: bank });
    await removeResource(shop.idp.deps, bank, shop.idp.now());

    expect((await shop.refresh(refresh_token)).body.error).toBe('invalid_target');
    expect((await shop.redeem(code)).body.error).toBe('invalid_target');
    const by_default = { grant_type: 'client_credentials' };
    const own = await shop.idp.token(by_default, basic('shop', shop.shop.client_secret));
    expect(own.body.error).toBe('invalid_target');
    const left = await shop.refresh(both.refresh_token);
    expect(decodeJwt(left.body.access_token).aud).toBe(files);
  });
});

test.each(['openid', 'email', 'offline_access'])(
  'an API that is registered with the scope %s would take it from every token for userinfo: it is refused',
  async (scope) => {
    const idp = await startIdp();
    await expect(idp.addResource(files, 'read', scope)).rejects.toMatchObject({ code: 'invalid_input' });
    await idp.addResource(files, 'read');
    const widened = updateResource(idp.deps, files, { scope: ['read', scope] }, idp.now());
    await expect(widened).rejects.toMatchObject({ code: 'invalid_input' });
  },
);

test('an API without scopes leaves no empty word in discovery', async () => {
  const idp = await startIdp();
  await idp.addResource(files);
  const metadata = (await (await idp.fetch('/.well-known/openid-configuration')).json()) as {
    scopes_supported: string[];
  };
  expect(metadata.scopes_supported).not.toContain('');
});

test('a scheme that looks like a web address does not show the address of another on the consent page', async () => {
  const idp = await startIdp();
  await idp.addUser();
  const uri = 'com.evil.app://bank.example/cb';
  const metadata = { application_type: 'native', token_endpoint_auth_method: 'none', redirect_uris: [uri] };
  await idp.addClient(metadata, 'shop');
  const page = await ask(await signedInBrowser(idp), 'shop', { redirect_uri: uri });
  expect(kindOf(page)).toBe('/consent');
  expect(page.html).toContain('<bdi class="host">com.evil.app:</bdi>');
  expect(page.html).not.toContain('bank.example</bdi>');
});
