import { decodeJwt } from 'jose';
import { describe, expect, test } from 'vitest';
import { updateResource } from '../../src/actions/resources.js';
import { permit } from '../../src/tokens/permissions.js';
import { startShop } from '../support/shop.js';

const api = 'https://api.example';
const rules = { permissions: { write: ['editor', 'admin'], publish: ['admin'] }, token_claims: [] };

describe('what roles allow', () => {
  test.each<[string, readonly string[], readonly string[], readonly string[]]>([
    ['a role that holds a permission keeps the scope', ['read', 'write'], ['editor'], ['read', 'write']],
    ['no role: what needs one is gone', ['read', 'write'], [], ['read']],
    ['one of several roles is enough', ['write', 'publish'], ['guest', 'admin'], ['write', 'publish']],
    ['what nobody restricted is for everybody', ['read'], [], ['read']],
  ])('%s', (_, scope, roles, permitted) => {
    expect(permit([rules], scope, roles).scope).toEqual(permitted);
  });

  test('is told in the token only where the server asks for it', () => {
    expect(permit([rules], [], ['admin']).claims).toEqual({});
    const asking = { ...rules, token_claims: ['roles', 'permissions'] };
    expect(permit([asking], [], ['admin', 'x']).claims).toEqual({
      roles: ['admin', 'x'],
      permissions: ['publish', 'write'],
    });
    expect(permit([asking], [], []).claims).toEqual({});
  });
});

async function start(roles: readonly string[]) {
  const shop = await startShop({ metadata: { scope: 'openid read write' }, user: { roles } });
  await shop.idp.addResource(api, 'read', 'write');
  const change = (changes: Parameters<typeof updateResource>[2]) =>
    updateResource(shop.idp.deps, api, changes, shop.idp.now());
  await change({ permissions: { write: ['editor'] } });
  return { ...shop, change, ask: () => shop.tokens({ scope: 'openid read write', resource: api }) };
}

describe('an access token for an API', () => {
  test("has the scope that the user's roles allow, and the answer says so (RFC 6749 §3.3, TOK-01, TOK-05)", async () => {
    const reader = await (await start([])).ask();
    expect([reader.scope, decodeJwt(reader.access_token).scope]).toEqual(['read', 'read']);
    const editor = await (await start(['editor'])).ask();
    expect([editor.scope, decodeJwt(editor.access_token).scope]).toEqual(['read write', 'read write']);
  });

  test('follows the roles at the next refresh', async () => {
    const { change, ask, refresh } = await start(['editor']);
    const { refresh_token = '' } = await ask();
    await change({ permissions: { write: ['admin'] } });
    expect((await refresh(refresh_token)).body.scope).toBe('read');
  });

  test('of a user with fifty roles is 1.5 KiB at most, unless the API asks for the roles', async () => {
    const roles = Array.from({ length: 50 }, (_, i) => `department-of-things-${i}`);
    const { change, ask } = await start(roles);
    const { access_token } = await ask();
    expect(access_token.length).toBeLessThanOrEqual(1536);
    expect(decodeJwt(access_token)).not.toHaveProperty('roles');
    await change({ token_claims: ['roles'] });
    expect(decodeJwt((await ask()).access_token).roles).toEqual(roles);
  });
});
