import { expect, test } from 'vitest';
import { ask, countRows, kindOf, type Method, methods } from '../support/authorize.js';
import { type Form, startIdp } from '../support/idp.js';

test('a thousand anonymous authorization requests add no row to any table (design §1.2)', async () => {
  const idp = await startIdp();
  await idp.addUser();
  await idp.addClient({ first_party: false }, 'shop');
  await idp.addClient({ application_type: 'native', redirect_uris: ['http://127.0.0.1/cb'] }, 'tool');
  const before = await countRows(idp);
  expect(before).toMatchObject({ users: 1, clients: 2, sessions: 0, authorization_codes: 0, attempts: 0 });

  const kinds: Record<string, number> = {};
  const variants: readonly [string, Form][] = [
    ['shop', {}],
    ['shop', { prompt: 'login consent', max_age: '0', nonce: 'n', login_hint: 'ada@example.com' }],
    ['shop', { prompt: 'none' }],
    ['shop', { scope: 'openid email profile phone address offline_access', response_mode: 'form_post' }],
    ['shop', { prompt: 'select_account', state: 'x'.repeat(1000) }],
    ['shop', { response_type: 'token' }],
    ['shop', { redirect_uri: 'https://evil.example' }],
    ['nobody', {}],
    ['tool', { redirect_uri: 'http://127.0.0.1:51004/cb' }],
    ['shop', { claims: '{"id_token":{"email":null}}' }],
  ];
  const visit = async (number: number) => {
    const [client_id, changes] = variants[number % variants.length] ?? ['shop', {}];
    const method: Method = methods[Math.floor(number / variants.length) % 2] ?? 'GET';
    const kind = kindOf(await ask(idp.browser(), client_id, changes, method));
    kinds[kind] = (kinds[kind] ?? 0) + 1;
  };
  for (let start = 0; start < 1000; start += 50)
    await Promise.all(Array.from({ length: 50 }, (_, i) => visit(start + i)));

  expect(kinds).toEqual({
    '/login': 600,
    'redirect to https://shop.example': 200,
    'error page 400': 200,
  });
  expect(await countRows(idp)).toEqual(before);
});
