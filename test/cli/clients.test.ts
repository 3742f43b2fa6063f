import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import * as clients from '../../src/store/clients.js';
import { commandsOf } from '../support/cli.js';
import { newFolder } from '../support/folder.js';
import { basic, startIdp } from '../support/idp.js';

const cb = 'https://shop.example/cb';

async function start() {
  const idp = await startIdp();
  return { idp, ...commandsOf(idp) };
}

async function metadataFile(metadata: unknown): Promise<string> {
  const file = join(await newFolder(), 'client.json');
  await writeFile(file, typeof metadata === 'string' ? metadata : JSON.stringify(metadata));
  return file;
}

describe('sallyport clients add', () => {
  test('takes the URIs at which an application is told of sign-outs', async () => {
    const { json } = await start();
    const told = await json(
      ...['clients', 'add', 'Shop', '--redirect-uri', cb],
      ...['--backchannel-logout-uri', 'https://shop.example/back'],
      ...['--frontchannel-logout-uri', 'https://shop.example/front'],
    );
    expect(told).toMatchObject({
      backchannel_logout_uri: 'https://shop.example/back',
      frontchannel_logout_uri: 'https://shop.example/front',
    });
    expect(await json('clients', 'show', told.client_id)).toMatchObject({
      backchannel_logout_uri: 'https://shop.example/back',
    });
  });

  test('prints the client information response, with the secret this once (RFC 7591 §3.2.1)', async () => {
    const { idp, json } = await start();
    const printed = await json('clients', 'add', 'Shop', '--redirect-uri', cb, '--first-party');
    expect(printed).toEqual({
      backchannel_logout_session_required: false,
      frontchannel_logout_session_required: false,
      client_id: expect.stringMatching(/^[\w-]{22}$/),
      client_id_issued_at: idp.now(),
      client_secret: expect.stringMatching(/^[\w-]{43}$/),
      client_secret_expires_at: 0,
      client_name: 'Shop',
      application_type: 'web',
      redirect_uris: [cb],
      post_logout_redirect_uris: [],
      grant_types: ['authorization_code'],
      response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_basic',
      id_token_signed_response_alg: 'RS256',
      scope: 'openid profile email address phone offline_access',
      require_auth_time: false,
      first_party: true,
      id_token_claims: 'scope',
      require_pkce: true,
      authorization_signed_response_alg: 'RS256',
      require_pushed_authorization_requests: false,
      require_signed_request_object: false,
      request_uris: [],
      security_profile: 'default',
      subject_type: 'public',
      allowed_origins: [],
      refresh_grace_seconds: 10,
    });
    const shown = await json('clients', 'show', printed.client_id);
    expect(shown).not.toHaveProperty('client_secret');
    expect(shown).not.toHaveProperty('client_secret_hash');
  });

  test('shows the secret of a client that signs with it this once as well, and never how it is stored', async () => {
    const { json, run } = await start();
    const method = ['--token-endpoint-auth-method', 'client_secret_jwt'];
    const printed = await json('clients', 'add', 'Shop', '--redirect-uri', cb, ...method);
    expect(printed.client_secret).toMatch(/^[\w-]{86}$/);
    for (const args of [
      ['show', printed.client_id],
      ['list'],
      ['update', printed.client_id, '--name', 'Other'],
    ]) {
      const { code, out } = await run('clients', ...args, '--json');
      expect(code).toBe(0);
      expect(out).not.toMatch(/client_secret"|client_secret_hash|client_secret_sealed/);
    }
  });

  test('prints it for people too, with a word on the secret', async () => {
    const { run } = await start();
    const { code, out } = await run('clients', 'add', 'Shop', '--redirect-uri', cb);
    expect(code).toBe(0);
    expect(out).toMatch(/\nclient_secret: [\w-]{43}\n/);
    expect(out).toContain('The client_secret is shown this once. Give it to the application now.');
    const open = await run(
      'clients',
      'add',
      'App',
      '--redirect-uri',
      cb,
      '--token-endpoint-auth-method',
      'none',
    );
    expect(open.out).not.toContain('client_secret');
  });

  test('takes every flag', async () => {
    const { json } = await start();
    const printed = await json(
      ...['clients', 'add', 'Shop', '--redirect-uri', cb, '--redirect-uri', `${cb}2`],
      ...['--post-logout-redirect-uri', 'https://shop.example/', '--grant-type', 'authorization_code'],
      ...['--grant-type', 'refresh_token', '--token-endpoint-auth-method', 'client_secret_post'],
      ...['--scope', 'openid email', '--first-party'],
    );
    expect(printed).toMatchObject({
      redirect_uris: [cb, `${cb}2`],
      post_logout_redirect_uris: ['https://shop.example/'],
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'client_secret_post',
      scope: 'openid email',
      first_party: true,
    });
  });

  test('merges flags and file: lists are joined, the same URI twice is one, single values of flags win (decisions 25)', async () => {
    const { json } = await start();
    const file = await metadataFile({
      client_name: 'of the file',
      redirect_uris: [cb, 'https://shop.example/other'],
      grant_types: ['authorization_code'],
      scope: 'openid email',
      id_token_claims: 'minimal',
      first_party: false,
    });
    const printed = await json(
      ...['clients', 'add', 'Shop', '--metadata', file, '--redirect-uri', cb, '--redirect-uri', `${cb}2`],
      ...[
        '--grant-type',
        'refresh_token',
        '--grant-type',
        'authorization_code',
        '--scope',
        'openid',
        '--first-party',
      ],
    );
    expect(printed).toMatchObject({
      client_name: 'Shop',
      redirect_uris: [cb, 'https://shop.example/other', `${cb}2`],
      scope: 'openid',
      id_token_claims: 'minimal',
      first_party: true,
    });
    expect(printed.grant_types.toSorted()).toEqual(['authorization_code', 'refresh_token']);
  });

  test.each([
    [
      'client_secret (decisions 10)',
      { client_secret: 'hunter2', redirect_uris: [cb] },
      'secrets are generated here',
    ],
    ['a member there is not', { redirect_uris: [cb], colour: 'red' }, 'colour'],
    ['http outside of this machine', { redirect_uris: ['http://shop.example/cb'] }, 'only https is allowed'],
    ['a list', [], 'does not hold a JSON object'],
    ['null', 'null', 'does not hold a JSON object'],
    ['no JSON', '{', 'JSON'],
  ])('refuses a metadata file with %s', async (_, metadata, sentence) => {
    const { idp, run } = await start();
    const { code, out, err } = await run(
      'clients',
      'add',
      'Shop',
      '--metadata',
      await metadataFile(metadata),
    );
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain(sentence);
    expect(err.trimEnd()).not.toContain('\n');
    expect(await clients.list(idp.db)).toEqual([]);
  });

  test.each([
    ['no redirect URI', [], 'redirect_uris'],
    ['a grant there is not', ['--redirect-uri', cb, '--grant-type', 'password'], 'grant_types'],
    [
      'a method there is not',
      ['--redirect-uri', cb, '--token-endpoint-auth-method', 'magic'],
      'token_endpoint_auth_method',
    ],
    ['a wildcard', ['--redirect-uri', 'https://*.shop.example/cb'], 'there are no wildcards'],
  ])('refuses %s', async (_, args, sentence) => {
    const { run } = await start();
    const { code, err } = await run('clients', 'add', 'Shop', ...args);
    expect([code, err]).toEqual([1, expect.stringContaining(sentence)]);
  });
});

describe('sallyport clients', () => {
  test('list tells all of them, without secrets', async () => {
    const { idp, json, run } = await start();
    expect((await run('clients', 'list')).out).toBe('There are no applications yet.\n');
    await idp.addClient({ client_name: 'Shop' }, 'shop');
    await idp.addClient({ client_name: 'Blog' }, 'blog');
    const listed = await json('clients', 'list');
    expect(listed.map(({ client_id }: { client_id: string }) => client_id)).toEqual(['blog', 'shop']);
    expect(JSON.stringify(listed)).not.toContain('secret_hash');
    expect((await run('clients', 'list')).out).toMatch(
      /^client_id {2,}name {2,}grant types .*\nblog {2,}Blog /,
    );
  });

  test('update changes what is named, and a running server knows within a second', async () => {
    const { idp, json } = await start();
    await idp.addClient({ grant_types: ['client_credentials'], scope: 'a b', redirect_uris: [] }, 'robot');
    const { client_secret } = await json('clients', 'rotate-secret', 'robot');
    const scopeOf = async () =>
      (await idp.token({ grant_type: 'client_credentials' }, basic('robot', client_secret))).body.scope;
    idp.advance(1);
    expect(await scopeOf()).toBe('a b');
    const printed = await json('clients', 'update', 'robot', '--name', 'Robby', '--scope', 'a');
    expect(printed).toMatchObject({ client_name: 'Robby', scope: 'a', grant_types: ['client_credentials'] });
    idp.advance(1);
    expect(await scopeOf()).toBe('a');
  });

  test('update --disable and --enable do nothing else', async () => {
    const { idp, json } = await start();
    const { client } = await idp.addClient({}, 'shop');
    expect((await json('clients', 'update', 'shop', '--disable')).disabled_at).toBe(idp.now());
    expect(await json('clients', 'update', 'shop', '--enable')).not.toHaveProperty('disabled_at');
    const after = await clients.find(idp.db, 'shop');
    const { updated_at, status_index } = client; // the tokens it had are revoked
    expect({ ...after, updated_at, status_index }).toEqual(client);
  });

  test('update refuses --disable together with --enable', async () => {
    const { idp, run } = await start();
    await idp.addClient({}, 'shop');
    expect((await run('clients', 'update', 'shop', '--disable', '--enable')).code).toBe(2);
    expect((await clients.find(idp.db, 'shop'))?.disabled_at).toBeNull();
  });

  test('update to a method with a secret prints the new secret', async () => {
    const { idp, json } = await start();
    await idp.addClient({ token_endpoint_auth_method: 'none' }, 'app');
    const printed = await json(
      'clients',
      'update',
      'app',
      '--token-endpoint-auth-method',
      'client_secret_basic',
    );
    expect(printed.client_secret).toMatch(/^[\w-]{43}$/);
  });

  test('rotate-secret ends the old secret', async () => {
    const { idp, json } = await start();
    const added = await idp.addClient(
      { grant_types: ['client_credentials'], redirect_uris: [], scope: 'a' },
      'robot',
    );
    const { client_secret } = await json('clients', 'rotate-secret', 'robot');
    idp.advance(1);
    const statuses = [added.client_secret, client_secret].map(async (secret) => {
      return (await idp.token({ grant_type: 'client_credentials' }, basic('robot', secret))).status;
    });
    expect(await Promise.all(statuses)).toEqual([401, 200]);
  });

  test('remove takes one out', async () => {
    const { idp, json, run } = await start();
    await idp.addClient({}, 'shop');
    expect(await json('clients', 'remove', 'shop')).toEqual({ client_id: 'shop' });
    expect(await run('clients', 'remove', 'shop')).toEqual({
      code: 1,
      out: '',
      err: 'There is no client shop.\n',
    });
  });

  test.each(['show', 'update', 'rotate-secret', 'remove'])('%s of none is refused', async (name) => {
    const { run } = await start();
    expect(await run('clients', name, 'nobody')).toEqual({
      code: 1,
      out: '',
      err: 'There is no client nobody.\n',
    });
  });
});
