/** Registration with anything: no answer is our fault, and no client is stored that could not be used. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import * as clients from '../../src/store/clients.js';
import { anyText } from '../support/arbitraries.js';
import { newClientKey } from '../support/assertion.js';
import { authorizeUrl } from '../support/flow.js';
import { basic, type JsonAnswer, type TestIdp } from '../support/idp.js';
import { initialToken, manage, register, startOpen } from '../support/registration.js';

const key = await newClientKey('ES256');
const settings = { CLIENT_REGISTRATIONS_PER_SOURCE: '1000000', CLIENT_REGISTRATIONS_MOST: '1000000' };

const uri = fc.oneof(
  fc.constantFrom(
    ...['https://a.example/cb', 'https://a.example/cb?x=1', 'https://b.example', 'http://127.0.0.1/cb'],
    ...[
      'http://localhost:1234/cb',
      'com.example.app:/cb',
      'https://a.example/#x',
      'javascript:x',
      'nothing',
      '',
    ],
    ...['https://a@b.example/', 'https:///x', 'https://[::1]:99999/', 'HTTPS://A.EXAMPLE/cb'],
  ),
  anyText(30),
);
const uris = fc.array(uri, { maxLength: 3 });
const jwks = fc.constantFrom({ keys: [key.jwk] }, { keys: [{ kty: 'RSA' }] }, { keys: [] }, {});
const members: Record<string, fc.Arbitrary<unknown>> = {
  client_name: anyText(20),
  'client_name#de': anyText(20),
  application_type: fc.constantFrom('web', 'native'),
  redirect_uris: uris,
  post_logout_redirect_uris: uris,
  grant_types: fc.subarray(['authorization_code', 'refresh_token', 'client_credentials', 'implicit']),
  response_types: fc.subarray(['code', 'token', 'id_token']),
  token_endpoint_auth_method: fc.constantFrom(
    ...['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none', 'tls'],
  ),
  token_endpoint_auth_signing_alg: fc.constantFrom('ES256', 'none'),
  jwks,
  jwks_uri: uri,
  scope: fc.oneof(fc.constantFrom('openid', 'openid email', 'a b', ''), anyText(10)),
  logo_uri: uri,
  'policy_uri#fr': uri,
  initiate_login_uri: uri,
  backchannel_logout_uri: uri,
  frontchannel_logout_uri: uri,
  default_max_age: fc.integer(),
  require_pkce: fc.boolean(),
  security_profile: fc.constantFrom('default', 'oauth_2_1', 'fapi_2'),
  contacts: fc.array(anyText(10), { maxLength: 3 }),
  first_party: fc.boolean(),
  software_statement: fc.constantFrom(null, 'x'),
};
/** Mostly what a member may be, sometimes anything. */
const member = (name: string) =>
  fc.oneof(
    { weight: 30, arbitrary: members[name] ?? fc.constant(null) },
    { weight: 1, arbitrary: fc.jsonValue() },
  );
const recordOf = (names: string[], constraints?: { requiredKeys: never[] }) =>
  fc.record(Object.fromEntries(names.map((name) => [name, member(name)])), constraints);
const metadata = recordOf(Object.keys(members), { requiredKeys: [] }).chain((some) =>
  fc.dictionary(anyText(8), fc.jsonValue(), { maxKeys: 1 }).map((more) => ({ ...more, ...some })),
);
/** A client that can be registered, but for three members at most. */
const nearlyGood = fc
  .subarray(Object.keys(members), { maxLength: 3 })
  .chain((names) => recordOf(names))
  .map((some) => ({
    ...{ redirect_uris: ['https://a.example/cb'], grant_types: ['authorization_code'] },
    ...some,
  }));

const errors = ['invalid_redirect_uri', 'invalid_client_metadata', 'unapproved_software_statement'];

test('no metadata is our fault, and each client that is stored can be used (REG-18)', async () => {
  const idp = await startOpen({ settings });
  const token = await initialToken(idp, '--uses', '1000000');
  let stored = 0;
  await fc.assert(
    fc.asyncProperty(fc.oneof(metadata, nearlyGood), fc.boolean(), async (said, vouched) => {
      const answer = await register(idp, said, vouched ? { token } : {});
      if (answer.status === 201) {
        stored += 1;
        await expectUsable(idp, answer);
      } else expect([answer.status, errors.includes(answer.body.error)]).toEqual([400, true]);
    }),
    { numRuns: 250 },
  );
  expect(stored).toBeGreaterThan(10);
  expect(idp.logged.filter(({ level }) => level === 'error')).toEqual([]);
  expect(await clients.countRegistered(idp.db)).toBe(stored);
});

test('no body is our fault, and whatever replaces a registration leaves it usable', async () => {
  const idp = await startOpen({ settings });
  const body = fc.oneof(
    anyText(),
    fc.json(),
    fc.constantFrom('{"__proto__":{}}', '{"constructor":1}', '[[]]', '{"redirect_uris":{"length":1}}'),
  );
  await fc.assert(
    fc.asyncProperty(body, async (sent) => {
      const { status, body: told } = await register(idp, sent);
      expect([status, errors.includes(told.error)]).toEqual([400, true]);
    }),
    { numRuns: 60 },
  );
  const { body: client } = await register(idp, { redirect_uris: ['https://a.example/cb'] });
  await fc.assert(
    fc.asyncProperty(nearlyGood, async (said) => {
      const answer = await manage(idp, client, {
        method: 'PUT',
        body: { ...said, client_id: client.client_id },
      });
      if (answer.status === 200) await expectUsable(idp, answer);
      else expect([answer.status, errors.includes(answer.body.error)]).toEqual([400, true]);
    }),
    { numRuns: 80 },
  );
  expect(idp.logged.filter(({ level }) => level === 'error')).toEqual([]);
});

/** It can begin an authorization request, or it gets a token for itself. */
async function expectUsable(idp: TestIdp, { body }: JsonAnswer): Promise<void> {
  expect(JSON.stringify(await clients.find(idp.db, body.client_id))).not.toContain('"first_party":true');
  if (body.response_types.includes('code')) {
    const [redirect_uri] = body.redirect_uris;
    const { status, headers } = await idp.fetch(authorizeUrl(body.client_id, { redirect_uri }));
    expect([status, headers.get('location')]).toEqual([303, expect.stringMatching(/^\/login\?request=/)]);
    return;
  }
  expect(body.grant_types).toEqual(['client_credentials']);
  if (body.client_secret === undefined) return; // it has a key instead, which was looked at
  const form = { grant_type: 'client_credentials' };
  const basics = body.token_endpoint_auth_method === 'client_secret_basic';
  const answer = basics
    ? await idp.token(form, basic(body.client_id, body.client_secret))
    : await idp.token({ ...form, client_id: body.client_id, client_secret: body.client_secret });
  expect(answer.status).toBe(200);
}
