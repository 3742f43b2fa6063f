import { describe, expect, test } from 'vitest';
import * as identityProviders from '../../src/store/identity_providers.js';
import { openClientSecret } from '../../src/upstream/client_secret.js';
import { commandsOf } from '../support/cli.js';
import { startIdp } from '../support/idp.js';
import { eventsOf } from '../support/shop.js';

const issuer = 'https://up.example';
const minimal = ['providers', 'add', 'up', '--issuer', issuer, '--client-id', 'here'];

async function start() {
  const idp = await startIdp();
  return { idp, ...commandsOf(idp) };
}

describe('sallyport providers', () => {
  test('add, list, show, update and remove an OpenID provider; its secret is sealed and never printed', async () => {
    const { idp, json, run, type } = await start();
    expect((await run('providers', 'list')).out).toBe('There are none yet.\n');
    type('  the secret\n');
    const added = await json(...minimal, '--name', 'Up', '--client-secret-stdin');
    expect(added).toEqual({
      ...{ id: 'up', display_name: 'Up', kind: 'oidc', issuer, client_id: 'here' },
      ...{
        authorization_endpoint: null,
        token_endpoint: null,
        userinfo_endpoint: null,
        emails_endpoint: null,
      },
      ...{ token_endpoint_auth_method: 'client_secret_basic', id_token_signed_response_alg: 'RS256' },
      ...{
        has_client_secret: true,
        claim_names: {},
        scope: ['openid', 'profile', 'email'],
        mail_domains: [],
      },
      ...{ trust_email_verified: false, trust_mfa: false, mfa_acr_values: [], registration: false },
      ...{ sign_out: 'offer', enabled: true },
      ...{ created_at: idp.now(), updated_at: idp.now(), disabled_at: null },
      redirect_uri: `${idp.issuer}/upstream/up/callback`,
      post_logout_redirect_uri: `${idp.issuer}/upstream/up/signed-out`,
      backchannel_logout_uri: `${idp.issuer}/upstream/up/backchannel-logout`,
    });
    const row = await identityProviders.find(idp.db, 'up');
    expect(row && openClientSecret(await idp.deps.keys.get(), row)).toBe('the secret');
    expect(JSON.stringify(row)).not.toContain('the secret');
    expect(await json('providers', 'list')).toEqual([added]);
    expect(await json('providers', 'show', 'up')).toEqual(added);

    const changes = [
      '--mail-domain',
      'Example.COM,example.org',
      '--trust-email-verified',
      'on',
      '--enabled',
      'off',
    ];
    const more = [
      '--trust-mfa',
      'on',
      '--mfa-acr',
      'urn:two',
      '--registration',
      'on',
      '--sign-out',
      'always',
    ];
    expect(await json('providers', 'update', 'up', ...changes, ...more)).toMatchObject({
      ...{ mail_domains: ['example.com', 'example.org'], trust_email_verified: true, trust_mfa: true },
      ...{ mfa_acr_values: ['urn:two'], registration: true, sign_out: 'always', enabled: false },
      ...{ has_client_secret: true, display_name: 'Up' },
    });
    expect((await run('providers', 'list')).out).toContain('example.com example.org');
    expect(await json('providers', 'remove', 'up')).toEqual({ id: 'up' });
    expect(await json('providers', 'list')).toEqual([]);
    for (const event of ['provider_added', 'provider_updated', 'provider_removed'] as const)
      expect(await eventsOf(idp, event)).toMatchObject([{ detail: 'up' }]);
  });

  test('add a server as GitHub is one', async () => {
    const { json, type } = await start();
    type('s');
    const added = await json(
      ...['providers', 'add', 'github', '--kind', 'oauth2', '--client-id', 'here', '--client-secret-stdin'],
      ...['--authorization-endpoint', 'https://host.example/authorize'],
      ...[
        '--token-endpoint',
        'https://host.example/token',
        '--userinfo-endpoint',
        'https://host.example/user',
      ],
      ...['--emails-endpoint', 'https://host.example/emails', '--scope', 'read:user user:email'],
      ...['--claim', 'sub=id', '--claim', 'picture=avatar_url'],
    );
    expect(added).toMatchObject({
      ...{ kind: 'oauth2', issuer: null, token_endpoint_auth_method: 'client_secret_post' },
      ...{ claim_names: { sub: 'id', picture: 'avatar_url' }, scope: ['read:user', 'user:email'] },
    });
    expect(added).not.toHaveProperty('backchannel_logout_uri');
    expect(await json('providers', 'update', 'github', '--emails-endpoint', '', '--claim', '')).toMatchObject(
      {
        ...{ emails_endpoint: null, claim_names: {} },
      },
    );
  });

  test.each([
    ['an id that is no word', ['add', 'Up!', ...minimal.slice(3)], 'letters a to z'],
    [
      'an OpenID provider without an issuer',
      ['add', 'up', '--client-id', 'here'],
      'issuer: an OpenID provider has one',
    ],
    ['one without a client_id', ['add', 'up', '--issuer', issuer], 'client_id: is missing'],
    ['an issuer that is no URL', ['add', 'up', '--issuer', 'up', '--client-id', 'x'], 'issuer: not a URL'],
    ['an issuer over http', ['add', 'up', '--issuer', 'http://up.example', '--client-id', 'x'], 'only https'],
    ['one without openid', [...minimal.slice(1), '--scope', 'email'], 'scope: must hold openid'],
    [
      'endpoints beside a discovery document',
      [...minimal.slice(1), '--token-endpoint', 'https://up.example/t'],
      'discovery document',
    ],
    ['a claim that there is not', [...minimal.slice(1), '--claim', 'roles=admin'], 'claim_names'],
    [
      'a mail domain that is none',
      [...minimal.slice(1), '--mail-domain', 'ada@example.com'],
      'is no mail domain',
    ],
    [
      'an algorithm that is a MAC',
      [...minimal.slice(1), '--id-token-alg', 'HS256'],
      'id_token_signed_response_alg',
    ],
    [
      'an oauth2 server without endpoints',
      ['add', 'up', '--kind', 'oauth2', '--client-id', 'x'],
      'userinfo_endpoint: is missing',
    ],
    ['a provider that there is not', ['show', 'up'], 'There is no provider up.'],
    ['removing one that there is not', ['remove', 'up'], 'There is no provider up.'],
  ])('refuse %s', async (_, args, err) => {
    const { run } = await start();
    const result = await run('providers', ...args);
    expect(result).toMatchObject({ code: 1, out: '' });
    expect(result.err).toContain(err);
  });

  test('refuse an id, or a mail domain, that another provider has', async () => {
    const { run, json } = await start();
    await json(...minimal, '--mail-domain', 'example.com');
    expect((await run(...minimal)).err).toBe('There is a provider up already.\n');
    const second = ['providers', 'add', 'second', ...minimal.slice(3)];
    expect((await run(...second, '--mail-domain', 'EXAMPLE.com')).err).toBe(
      'Addresses of example.com are sent to the provider up already.\n',
    );
    await json(...second);
    expect((await run('providers', 'update', 'second', '--mail-domain', 'example.com')).code).toBe(1);
  });

  test('update with nothing to change, or a secret as an argument, is a mistake in its usage', async () => {
    const { run } = await start();
    expect(await run('providers', 'update', 'up')).toMatchObject({ code: 2, out: '' });
    expect(await run(...minimal, '--client-secret', 's')).toMatchObject({ code: 2, out: '' });
    expect(await run(...minimal, '--trust-mfa', 'perhaps')).toMatchObject({ code: 2, out: '' });
  });
});
