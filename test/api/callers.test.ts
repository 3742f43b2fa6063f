/** Which pages and which clients may sign people in by POST /users/login. Decisions 29. */
import { describe, expect, test } from 'vitest';
import { disableClient } from '../../src/actions/clients.js';
import { countRows } from '../support/authorize.js';
import { cookiesOf, origin, ownClient, startSite } from '../support/first_party.js';
import { countingGate } from '../support/idp.js';

const login = '/users/login';

describe('a request that is not of the application’s own pages is refused, and no password is looked at', () => {
  test.each([
    ['another origin', { origin: 'https://evil.example' }],
    ['another host of the site', { origin: 'https://evil.www.example.com' }],
    ['another port', { origin: `${origin}:8443` }],
    ['another scheme', { origin: 'http://www.example.com' }],
    ['a trailing slash', { origin: `${origin}/` }],
    ['another case', { origin: origin.toUpperCase() }],
    ['a hidden origin', { origin: 'null' }],
    ['two origins', { origin: `${origin}, https://evil.example` }],
    ['a cross-site page without Origin', { 'sec-fetch-site': 'cross-site' }],
    ['a cross-site page with a right Origin', { origin, 'sec-fetch-site': 'cross-site' }],
  ])('%s', async (_, headers) => {
    const hashing = countingGate();
    const { idp, app, credentials } = await startSite({ substitutes: { hashing } });
    const before = await countRows(idp);
    const answer = await app(login, credentials, headers);
    expect([answer.status, answer.body.error, cookiesOf(answer)]).toEqual([403, 'access_denied', {}]);
    expect(hashing.entered).toBe(0);
    expect(await countRows(idp)).toEqual(before);
  });

  test('cookies without an Origin', async () => {
    const { app, credentials } = await startSite();
    const { status, body } = await app(login, { ...credentials, mode: 'cookie' });
    expect([status, body.error]).toEqual([403, 'access_denied']);
  });
});

describe('a client that may not (decisions 29)', () => {
  test.each([
    ['is not first-party', { first_party: false }, 'first_party is not set'],
    ['has no origins', { allowed_origins: [] }, 'it has no allowed_origins'],
  ])('%s', async (_, metadata, why) => {
    const code = { grant_types: ['authorization_code'], redirect_uris: ['https://www.example.com/cb'] };
    const { app, credentials } = await startSite({ metadata: { ...code, ...metadata } });
    const { status, body } = await app(login, credentials);
    expect([status, body.error]).toEqual([400, 'unauthorized_client']);
    expect(body.error_description).toContain(why);
  });

  const confidential = {
    token_endpoint_auth_method: 'client_secret_post',
    grant_types: ['authorization_code'],
    redirect_uris: ['https://www.example.com/cb'],
  };

  test.each([
    ['is confidential and proves nothing', false, 401, 'invalid_client'],
    ['is confidential and sends its secret', true, 400, 'unauthorized_client'],
  ])('%s', async (_, proves, expected, error) => {
    const { idp, app, credentials } = await startSite();
    const { client_secret } = await idp.addClient({ ...ownClient, ...confidential }, 'back');
    const proof = proves ? { client_secret } : {};
    const { status, body } = await app(login, { ...credentials, client_id: 'back', ...proof });
    expect([status, body.error]).toEqual([expected, error]);
  });

  test('is unknown, or disabled', async () => {
    const { idp, app, credentials } = await startSite();
    const unknown = await app(login, { ...credentials, client_id: 'nobody' });
    expect([unknown.status, unknown.body.error]).toEqual([401, 'invalid_client']);
    await disableClient(idp.deps, 'site', true, idp.now());
    expect((await app(login, credentials)).body.error).toBe('invalid_client');
  });

  test('another client’s origin does not count', async () => {
    const { idp, app, credentials } = await startSite();
    await idp.addClient({ ...ownClient, allowed_origins: ['https://other.example'] }, 'other');
    const answer = await app(login, credentials, { origin: 'https://other.example' });
    expect([answer.status, answer.body.error]).toEqual([403, 'access_denied']);
  });
});
