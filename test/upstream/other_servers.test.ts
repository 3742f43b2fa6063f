/** Visits to servers that others wrote: oidc-provider, and one that speaks OAuth 2.0 alone, as GitHub does. */
import { describe, expect, test } from 'vitest';
import type { IdentityProviderRow } from '../../src/store/identity_providers.js';
import { UpstreamError } from '../../src/upstream/errors.js';
import { authorizationUrl, redeem } from '../../src/upstream/exchange.js';
import { begin, sealTransaction } from '../../src/upstream/transaction.js';
import { addProvider } from '../support/identity_provider.js';
import { startIdp, type TestIdp } from '../support/idp.js';
import { startCodeHost, startOidcProvider } from '../support/other_providers.js';

async function visit(here: TestIdp, row: IdentityProviderRow, go: (location: string) => Promise<string>) {
  const transaction = begin({
    ...{ provider_id: row.id, started_at: here.now(), again: false },
    purpose: { for: 'sign_in', request: null },
  });
  const state = sealTransaction(await here.deps.keys.get(), 'b'.repeat(43), transaction);
  const location = await authorizationUrl(
    here.deps,
    row,
    { transaction, state, login_hint: null },
    here.now(),
  );
  const url = new URL(await go(location));
  return redeem(here.deps, row, { url, transaction, state }, here.now());
}

describe('oidc-provider', () => {
  test('signs a person in, and its userinfo endpoint says who they are', async () => {
    const here = await startIdp();
    const there = await startOidcProvider({ redirect_uris: [`${here.issuer}/upstream/elsewhere/callback`] });
    const { issuer, client_id, client_secret } = there;
    const row = await addProvider(here, { id: 'elsewhere', issuer, client_id, client_secret });
    const browser = there.browser();
    const arrival = await visit(
      here,
      row,
      async (location) => (await browser.get(location)).headers.get('location') ?? '',
    );
    expect(arrival).toMatchObject({ subject: 'ada-there', id_token: expect.any(String) });
    expect(await arrival.profile()).toEqual({
      email: 'ada@elsewhere.example',
      email_verified: true,
      claims: { name: 'Ada L.' },
    });
  });
});

describe('a server of OAuth 2.0 alone', () => {
  async function start(person: object = {}) {
    const here = await startIdp();
    const host = await startCodeHost(person);
    const row = await addProvider(here, { id: 'code-host', ...host.columns });
    return { host, row, arrive: () => visit(here, row, host.visit) };
  }

  test('tells who somebody is by its userinfo endpoint, and the primary of their addresses', async () => {
    const { arrive } = await start();
    const arrival = await arrive();
    expect(arrival).toMatchObject({ subject: '583231', sid: null, id_token: null, mfa: false });
    expect(await arrival.profile()).toEqual({
      email: 'ada@elsewhere.example',
      email_verified: true,
      claims: { name: 'Ada L.', preferred_username: 'ada', picture: 'https://a.example/1' },
    });
  });

  test('that has no primary address tells none, whatever its userinfo endpoint says of it', async () => {
    const { host, arrive } = await start();
    host.emails.splice(1);
    expect(await (await arrive()).profile()).toMatchObject({ email: null, email_verified: false });
  });

  test('that says something of itself that cannot be is not believed', async () => {
    const { arrive } = await start({
      login: 'a\u0000b',
      name: ' '.repeat(9),
      avatar_url: 'javascript:alert(1)',
    });
    expect((await (await arrive()).profile()).claims).toEqual({});
  });

  test.each([
    ['a subject that is no text', '/user', JSON.stringify({ id: { a: 1 } }), 'invalid'],
    ['no subject', '/user', '{}', 'invalid'],
    ['a list in the place of a person', '/user', '[]', 'invalid'],
    ['no JSON', '/user', '<html>', 'invalid'],
    ['an endless person', '/user', `"${'x'.repeat(70_000)}"`, 'unreachable'],
    ['no token', '/login/oauth/access_token', '{"error":"bad_verification_code"}', 'invalid'],
    ['a token endpoint that has a page', '/login/oauth/access_token', '<html>', 'unreachable'],
  ])('gives %s: nobody is signed in', async (_, path, body, problem) => {
    const { host, arrive } = await start();
    const type = body.startsWith('<') ? 'text/html' : 'application/json';
    host.instead.set(path, (response) => void response.writeHead(200, { 'content-type': type }).end(body));
    const error = await arrive().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error instanceof UpstreamError ? error.problem : error).toBe(problem);
  });
});
