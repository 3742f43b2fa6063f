/** Who may register an application, how often, and from where. */
import { describe, expect, test } from 'vitest';
import * as clients from '../../src/store/clients.js';
import { engines } from '../support/database.js';
import { basic, startIdp } from '../support/idp.js';
import { good, initialToken, register, registered, startOpen } from '../support/registration.js';
import { atOnce } from '../support/shop.js';

describe('who may register', () => {
  test('nobody, unless a setting says so: no endpoint is advertised, and the answer is a sentence (REG-07, DSC-07)', async () => {
    const idp = await startIdp();
    const { status, body } = await register(idp);
    expect([status, body.error]).toEqual([403, 'access_denied']);
    expect(body.error_description).toContain('operator');
    const discovered = await (await idp.fetch('/.well-known/openid-configuration')).json();
    expect(discovered).not.toHaveProperty('registration_endpoint');
  });

  test.each(['token', 'open'])('%s is advertised (DSC-04)', async (CLIENT_REGISTRATION) => {
    const idp = await startIdp({ settings: { CLIENT_REGISTRATION } });
    const discovered = await (await idp.fetch('/.well-known/openid-configuration')).json();
    expect(discovered).toMatchObject({ registration_endpoint: `${idp.issuer}/register` });
  });

  test('can be that of a dynamic OpenID provider, with the response types of one (DSC-08)', async () => {
    const settings = { CLIENT_REGISTRATION: 'open', RESPONSE_TYPES: 'code, id_token, id_token token' };
    const idp = await startIdp({ settings });
    const response_types = ['code', 'id_token', 'id_token token'];
    const discovered = await (await idp.fetch('/.well-known/openid-configuration')).json();
    expect(discovered).toMatchObject({ response_types_supported: response_types });
    expect(discovered).toMatchObject({
      grant_types_supported: expect.arrayContaining(['authorization_code', 'implicit']),
    });
    const grant_types = ['authorization_code', 'implicit'];
    const { status, body } = await register(idp, { ...good, response_types, grant_types });
    expect([status, body.response_types]).toEqual([201, response_types]);
  });

  test('with the setting token: who has an initial access token, as often as it is good (REG-07)', async () => {
    const idp = await startIdp({ settings: { CLIENT_REGISTRATION: 'token' } });
    const without = await register(idp);
    expect([without.status, without.headers.get('www-authenticate')]).toEqual([
      401,
      'Bearer realm="sallyport"',
    ]);
    const token = await initialToken(idp, '--uses', '2');
    const grants = ['authorization_code', 'client_credentials'];
    expect((await register(idp, { ...good, redirect_uris: [] }, { token })).status).toBe(400); // takes no use
    expect((await register(idp, { ...good, grant_types: grants }, { token })).status).toBe(201);
    expect((await register(idp, good, { token })).status).toBe(201);
    for (const bad of [token, 'x', `${token}x`]) {
      const { status, body, headers } = await register(idp, good, { token: bad });
      expect([status, body.error]).toEqual([401, 'invalid_token']);
      expect(headers.get('www-authenticate')).toMatch(/^Bearer .*error="invalid_token"/);
    }
  });

  test('not with a token that has expired, or that the operator removed', async () => {
    const idp = await startIdp({ settings: { CLIENT_REGISTRATION: 'token' } });
    const token = await initialToken(idp, '--days', '1');
    idp.advance(86_399);
    expect((await register(idp, good, { token: await initialToken(idp) })).status).toBe(201);
    idp.advance(1);
    expect((await register(idp, good, { token })).status).toBe(401);
  });

  test('a wrong token is refused also where none is needed', async () => {
    expect((await register(await startOpen(), good, { token: 'x' })).status).toBe(401);
  });
});

describe.each(engines)('limits on %s', (engine) => {
  test('twenty at once with a token for one: one is registered', async () => {
    const idp = await startIdp({ engine, settings: { CLIENT_REGISTRATION: 'token' } });
    const token = await initialToken(idp);
    const answers = await atOnce(20, () => register(idp, good, { token }));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, ...Array(19).fill(401)]);
    expect(await clients.list(idp.db)).toHaveLength(1);
  });

  test('a source may try so often in an hour; a token needs no such limit (REG-07)', async () => {
    const idp = await startOpen({ engine, settings: { CLIENT_REGISTRATIONS_PER_SOURCE: '2' } });
    const tried = await atOnce(5, () => register(idp));
    expect(tried.map(({ status }) => status).toSorted()).toEqual([201, 201, 429, 429, 429]);
    const { status, headers, body } = await register(idp);
    expect([status, headers.get('retry-after'), body.error]).toEqual([
      429,
      '3600',
      'temporarily_unavailable',
    ]);
    expect((await register(idp, good, { token: await initialToken(idp) })).status).toBe(201);
    idp.advance(3601);
    expect((await register(idp)).status).toBe(201);
  });

  test('there are as many clients that registered themselves as there may be, also when many come at once', async () => {
    const idp = await startOpen({ engine, settings: { CLIENT_REGISTRATIONS_MOST: '3' } });
    await idp.addClient(); // the operator's do not count
    const answers = await atOnce(10, () => register(idp));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 201, 201, ...Array(7).fill(403)]);
    expect(await clients.countRegistered(idp.db)).toBe(3);
  });
});

describe('scripts of other origins (HTTP-15)', () => {
  const preflight = {
    method: 'OPTIONS',
    headers: { origin: 'https://spa.example', 'access-control-request-method': 'POST' },
  };

  test('may register where everybody may', async () => {
    const idp = await startOpen();
    const asked = await idp.fetch('/register', preflight);
    expect([asked.status, asked.headers.get('access-control-allow-origin')]).toEqual([204, '*']);
    expect(asked.headers.get('access-control-allow-headers')).toContain('Content-Type');
    const { headers } = await register(idp, good, { headers: { origin: 'https://spa.example' } });
    expect([
      headers.get('access-control-allow-origin'),
      headers.get('access-control-allow-credentials'),
    ]).toEqual(['*', null]);
    const own = await idp.fetch('/register/x', preflight);
    expect(own.headers.get('access-control-allow-methods')).toBe('GET, PUT, DELETE');
  });

  test.each(['closed', 'token'])('may not with the setting %s', async (CLIENT_REGISTRATION) => {
    const idp = await startIdp({ settings: { CLIENT_REGISTRATION } });
    const asked = await idp.fetch('/register', preflight);
    expect([asked.status, asked.headers.get('access-control-allow-origin')]).toEqual([405, null]);
  });
});

test('a stranger holds no stream of revocations open: connections are counted by client', async () => {
  const idp = await startOpen();
  const statusOf = async ({ client_id, client_secret = '' }: Awaited<ReturnType<typeof registered>>) => {
    const stopping = new AbortController();
    const headers = basic(client_id, client_secret);
    const { status } = await idp.fetch('/revocations', { headers, signal: stopping.signal });
    stopping.abort();
    return status;
  };
  const vouched = await registered(idp, {}, { token: await initialToken(idp) });
  expect([await statusOf(await registered(idp)), await statusOf(vouched)]).toEqual([403, 200]);
});
