import { describe, expect, test } from 'vitest';
import { commandsOf } from '../support/cli.js';
import { startIdp } from '../support/idp.js';

const api = 'https://api.example';

async function start() {
  const idp = await startIdp();
  const added = commandsOf(idp);
  return { idp, ...added };
}

describe('sallyport resources', () => {
  test('add, list, show, update and remove an API', async () => {
    const { idp, json, run } = await start();
    expect((await run('resources', 'list')).out).toBe('There are none yet.\n');
    const row = {
      ...{ identifier: api, scope: 'read write', client_id: null, permissions: '{}', token_claims: '' },
      ...{ access_token_seconds: null, access_token_signing_alg: null },
      created_at: idp.now(),
    };
    expect(await json('resources', 'add', api, '--scope', 'read', '--scope', 'write')).toEqual(row);
    expect(await json('resources', 'list')).toEqual([row]);
    expect(await json('resources', 'show', api)).toEqual(row);
    expect((await run('resources', 'list')).out).toBe(
      `identifier           scope       client\n${api}  read write\n`,
    );
    expect((await run('resources', 'update', api, '--scope', 'read')).out).toBe(
      `identifier: ${api}\nscope: read\n`,
    );
    expect(await json('resources', 'remove', api)).toEqual({ identifier: api });
    expect(await json('resources', 'list')).toEqual([]);
  });

  test('name the client that acts for an API, change and remove it', async () => {
    const { idp, json, run } = await start();
    await idp.addClient({}, 'shop-api');
    expect(await json('resources', 'add', api, '--client', 'shop-api')).toMatchObject({
      client_id: 'shop-api',
    });
    expect((await run('resources', 'update', api, '--scope', 'read')).out).toBe(
      `identifier: ${api}\nscope: read\nclient: shop-api\n`,
    );
    expect(await json('resources', 'update', api, '--client', '')).toMatchObject({
      client_id: null,
      scope: 'read',
    });
    expect((await run('resources', 'update', api, '--client', 'nobody')).err).toBe(
      'There is no client nobody.\n',
    );
  });

  test('say who holds a permission, and what stands in tokens', async () => {
    const { run, json } = await start();
    const added = await run(
      'resources',
      'add',
      api,
      '--scope',
      'write',
      '--permission',
      'write=editor,admin',
    );
    expect(added.out).toBe(`identifier: ${api}\nscope: write\npermission: write=editor,admin\n`);
    const claims = await json(
      'resources',
      'update',
      api,
      '--token-claim',
      'roles',
      '--token-claim',
      'permissions',
    );
    expect(claims).toMatchObject({ token_claims: 'roles permissions', scope: 'write' });
    const removed = await json('resources', 'update', api, '--permission', '', '--token-claim', '');
    expect(removed).toMatchObject({ permissions: '{}', token_claims: '' });
  });

  test('say how long access tokens live and what they are signed with; an empty word takes it back', async () => {
    const { run, json } = await start();
    const asked = ['--access-token-seconds', '60', '--access-token-signing-alg', 'ES256'];
    const { out } = await run('resources', 'add', api, ...asked);
    expect(out).toBe(`identifier: ${api}\nscope: \naccess tokens live: 60 s\nsigned with: ES256\n`);
    const removed = ['--access-token-seconds', '', '--access-token-signing-alg', ''];
    expect(await json('resources', 'update', api, ...removed)).toMatchObject({
      ...{ access_token_seconds: null, access_token_signing_alg: null },
    });
  });

  const lifetime = 'Access tokens live for whole seconds, from 30 to 600 (SALLYPORT_ACCESS_TOKEN_SECONDS).\n';
  test.each([
    ['a lifetime that is no number', ['--access-token-seconds', 'long'], lifetime],
    ['one of half a second', ['--access-token-seconds', '90.5'], lifetime],
    ['one that is too short', ['--access-token-seconds', '29'], lifetime],
    ['one longer than that of others', ['--access-token-seconds', '601'], lifetime],
    [
      'a shared secret to sign with',
      ['--access-token-signing-alg', 'HS256'],
      expect.stringContaining('Access tokens cannot be signed with HS256; with these they can: RS256 '),
    ],
    ['no signature', ['--access-token-signing-alg', 'none'], expect.stringContaining('with none;')],
    [
      'a permission without roles',
      ['--permission', 'write'],
      'The permission write names no role that holds it.\n',
    ],
    ['another claim', ['--token-claim', 'email'], 'The claim email is neither roles nor permissions.\n'],
  ])('refuse %s', async (_, args, err) => {
    const { run } = await start();
    expect(await run('resources', 'add', api, ...args)).toMatchObject({ code: 1, err });
  });

  test('take scopes also as one text with spaces', async () => {
    const { json } = await start();
    expect((await json('resources', 'add', api, '--scope', 'read write')).scope).toBe('read write');
  });

  test.each([
    ['add', ['add', 'api'], 'api is not an absolute URI without a fragment.\n'],
    ['show', ['show', api], `There is no resource ${api}.\n`],
    ['update', ['update', api, '--scope', 'a'], `There is no resource ${api}.\n`],
    ['remove', ['remove', api], `There is no resource ${api}.\n`],
  ])('%s tells in a sentence what is wrong', async (_, args, err) => {
    const { run } = await start();
    expect(await run('resources', ...args)).toEqual({ code: 1, out: '', err });
  });

  test('update with nothing to change is a mistake in its usage', async () => {
    const { run } = await start();
    expect(await run('resources', 'update', api)).toMatchObject({ code: 2, out: '' });
  });
});
