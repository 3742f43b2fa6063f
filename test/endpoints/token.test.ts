import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyText } from '../support/arbitraries.js';
import { basic, type Form, post, startIdp } from '../support/idp.js';
import { startShop } from '../support/shop.js';

/** What error and error_description may hold: RFC 6749 §5.2. */
const told = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

describe('POST /token: the table of RFC 6749 §5.2 (protocol.md §28, HTTP-11)', () => {
  test.each<[string, Form, number, string]>([
    ['grant_type is missing (TOK-02)', { grant_type: undefined }, 400, 'invalid_request'],
    ['grant_type is unknown (TOK-02)', { grant_type: 'x' }, 400, 'unsupported_grant_type'],
    ['grant_type is one of tomorrow', { grant_type: 'urn:x:y' }, 400, 'unsupported_grant_type'],
    ['grant_type is password (TOK-04)', { grant_type: 'password' }, 400, 'unsupported_grant_type'],
    ['grant_type is implicit', { grant_type: 'implicit' }, 400, 'unsupported_grant_type'],
    ['the client may not use it (TOK-02)', { grant_type: 'client_credentials' }, 400, 'unauthorized_client'],
    ['a parameter is repeated (HTTP-06)', { code: ['a', 'b'] }, 400, 'invalid_request'],
    ['the code is bad', { code: 'x' }, 400, 'invalid_grant'],
    ['the resource is unknown', { resource: 'https://x.example' }, 400, 'invalid_target'],
    ['the client says it is another', { client_id: 'other' }, 401, 'invalid_client'],
  ])('%s', async (_, change, status, error) => {
    const shop = await startShop();
    const form = { grant_type: 'authorization_code', code: 'x', redirect_uri: 'https://shop.example/cb' };
    const answer = await shop.idp.token({ ...form, ...change }, basic('shop', shop.shop.client_secret));
    expect(answer.status).toBe(status);
    expect(answer.body).toEqual({
      error,
      error_description: expect.stringMatching(told),
      error_uri: `${shop.idp.issuer}/errors#${error}`,
    });
    expectUnkept(answer.headers);
  });

  test('who the client is, is asked before what it wants', async () => {
    const idp = await startIdp();
    for (const form of [{}, { grant_type: 'x' }, { grant_type: 'password' }]) {
      const { status, body } = await idp.token(form);
      expect([status, body.error]).toEqual([401, 'invalid_client']);
    }
  });

  test.each(['access_token', 'refresh_token', 'code', 'client_secret', 'client_assertion'])(
    '%s in the query is refused, since queries end up in logs (CLA-03, HTTP-22)',
    async (name) => {
      const shop = await startShop();
      const form = { grant_type: 'authorization_code', code: 'x' };
      const { status, body } = await post(`${shop.idp.url}/token?${name}=s3cret`, form);
      expect([status, body.error]).toEqual([400, 'invalid_request']);
      expect(JSON.stringify(shop.idp.logged)).not.toContain('s3cret');
    },
  );

  test('any other parameter in the query is ignored', async () => {
    const shop = await startShop();
    const form = { grant_type: 'client_credentials' };
    const headers = basic('shop', shop.shop.client_secret);
    const { body } = await post(`${shop.idp.url}/token?grant_type=x&tenant=1`, form, headers);
    expect(body.error).toBe('unauthorized_client');
  });

  test('whatever was sent, what is told has no quotes, no line ends and ASCII alone (HTTP-10)', async () => {
    const idp = await startIdp();
    const { client_secret } = await idp.addClient({ grant_types: ['client_credentials'] }, 'batch');
    const text = anyText();
    const form = fc.record(
      { grant_type: fc.oneof(text, fc.constant('client_credentials')), scope: text, resource: text },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(form, async (sent) => {
        const { status, body } = await idp.token(sent, basic('batch', client_secret));
        if (status === 200) return;
        expect(status).toBe(400);
        expect(body.error_description).toMatch(told);
      }),
      { numRuns: 150 },
    );
  });

  test('what went wrong inside is logged under an id, and not told', async () => {
    const shop = await startShop();
    const { refresh_token } = await shop.tokens();
    const broken = { get: () => Promise.reject(new Error('the vault is on fire')) };
    Object.assign(shop.idp.deps.keys, broken);
    const { status, headers, body } = await shop.refresh(refresh_token);
    expect([status, body.error]).toEqual([500, 'server_error']);
    expect(JSON.stringify(body)).not.toContain('fire');
    const [, error_id] = /error id (\S+)/.exec(body.error_description) ?? [];
    expect(shop.idp.logged).toContainEqual(
      expect.objectContaining({ level: 'error', fields: expect.objectContaining({ error_id }) }),
    );
    expectUnkept(headers);
  });

  test('no token, code or secret is ever logged (BCP-07)', async () => {
    const shop = await startShop();
    const code = await shop.code();
    const { body } = await shop.redeem(code);
    await shop.refresh(body.refresh_token);
    await shop.idp.userinfo(body.access_token);
    const log = JSON.stringify(shop.idp.logged);
    expect(log).toContain('tokens_issued');
    for (const secret of [
      code,
      body.access_token,
      body.id_token,
      body.refresh_token,
      shop.shop.client_secret,
    ])
      expect(log).not.toContain(secret);
  });
});

function expectUnkept(headers: Headers): void {
  expect([headers.get('cache-control'), headers.get('pragma')]).toEqual(['no-store', 'no-cache']);
  expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
}
