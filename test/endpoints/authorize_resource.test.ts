import { decodeJwt } from 'jose';
import { describe, expect, test } from 'vitest';
import { answerOf, ask, codeOf, kindOf, methods, signedInBrowser } from '../support/authorize.js';
import { redeem } from '../support/flow.js';
import { type Form, startIdp } from '../support/idp.js';

const orders = 'https://orders.example/api';
const stock = 'urn:example:stock';

async function start(metadata: object = {}) {
  const idp = await startIdp();
  await idp.addUser();
  await idp.addResource(orders, 'orders:read', 'orders:write');
  await idp.addResource(stock, 'stock:read');
  const scope = 'openid email orders:read orders:write stock:read';
  const shop = await idp.addClient({ scope, ...metadata }, 'shop');
  const browser = await signedInBrowser(idp);
  /** The claims of the access token that a request leads to. */
  const access = async (changes: Form, more: Form = {}) => {
    const { body } = await redeem(idp, shop, codeOf(await ask(browser, 'shop', changes)), more);
    return decodeJwt(body.access_token);
  };
  return { idp, shop, browser, access };
}

describe.each(methods)('by %s, resource (RFC 8707 §2)', (method) => {
  test.each<[string, Form]>([
    ['that is unknown', { resource: 'https://other.example' }],
    ['beside a good one', { resource: [orders, 'https://other.example'] }],
    ['with a slash too many', { resource: `${orders}/` }],
    ['with a path in other capitals', { resource: 'https://orders.example/API' }],
    ['with a fragment', { resource: `${orders}#x` }],
    ['that is relative', { resource: '/api' }],
    ['that is no URI', { resource: 'orders' }],
  ])('%s: invalid_target, by redirect (RSI-01)', async (_, changes) => {
    const { idp, browser } = await start();
    const answer = answerOf(await ask(browser, 'shop', changes, method));
    expect(answer).toMatchObject({ error: 'invalid_target', state: 's1', iss: idp.issuer });
  });
});

describe('the access token is for (RFC 8707 §2.2, decisions 26)', () => {
  const everything = { scope: 'openid email orders:read stock:read' };

  test('the resource, as a single string, with the scopes of that resource only (TOK-05, BCP-05)', async () => {
    const { access } = await start();
    expect(await access({ ...everything, resource: orders })).toMatchObject({
      aud: orders,
      scope: 'orders:read',
    });
  });

  test('the resource, also when its scheme and host were written in capitals (RSI-03)', async () => {
    const { access } = await start();
    const { aud } = await access({ ...everything, resource: 'HTTPS://Orders.Example/api' });
    expect(aud).toBe(orders);
  });

  test('two resources, or one of them at the token endpoint', async () => {
    const { access } = await start();
    const both = { ...everything, resource: [orders, stock] };
    expect(await access(both)).toMatchObject({ aud: [orders, stock], scope: 'orders:read stock:read' });
    expect(await access(both, { resource: stock })).toMatchObject({ aud: stock, scope: 'stock:read' });
  });

  test('the issuer, where nothing else is said, with the scopes of no resource', async () => {
    const { idp, access } = await start();
    expect(await access(everything)).toMatchObject({ aud: idp.issuer, scope: 'openid email' });
  });

  test("the client's default_resource, where the request names none", async () => {
    const { access } = await start({ default_resource: orders });
    expect((await access(everything)).aud).toBe(orders);
    expect((await access({ ...everything, resource: stock })).aud).toBe(stock);
  });

  test('no resource that was not asked for at authorization', async () => {
    const { idp, shop, browser } = await start();
    const code = codeOf(await ask(browser, 'shop', { ...everything, resource: orders }));
    const { status, body } = await redeem(idp, shop, code, { resource: stock });
    expect([status, body.error]).toEqual([400, 'invalid_target']);
  });
});

describe('consent to a resource (INT-12)', () => {
  test('names it with its scopes, and does not cover another', async () => {
    const { browser } = await start({ first_party: false });
    const consent = await ask(browser, 'shop', { scope: 'openid orders:read', resource: orders });
    expect(kindOf(consent)).toBe('/consent');
    expect(consent.html).toContain(orders);
    expect(consent.html).toContain('<li><bdi>orders:read</bdi></li>');
    expect(codeOf(await browser.submit(consent, { action: 'allow' }))).not.toBe('');

    expect(codeOf(await ask(browser, 'shop', { scope: 'openid orders:read', resource: orders }))).not.toBe(
      '',
    );
    const wider = await ask(browser, 'shop', { scope: 'openid orders:read', resource: [orders, stock] });
    expect(kindOf(wider)).toBe('/consent');
    expect(wider.html).toContain(stock);
  });
});
