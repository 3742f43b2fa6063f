import { createHmac } from 'node:crypto';
import { decodeJwt } from 'jose';
import { describe, expect, test } from 'vitest';
import { deleteExpired } from '../../src/store/expired.js';
import { formBody, post } from '../support/idp.js';
import { type RawRequest, rawRequest } from '../support/raw_http.js';
import { type Shop, startShop } from '../support/shop.js';

const form = 'application/x-www-form-urlencoded';

/** Every standard claim there is. OpenID Connect Core §5.1. */
const everything = {
  name: 'Ada Lovelace',
  family_name: 'Lovelace',
  given_name: 'Ada',
  middle_name: 'King',
  nickname: 'Countess',
  preferred_username: 'ada',
  profile: 'https://ada.example/',
  picture: 'https://ada.example/ada.png',
  website: 'https://ada.example/blog',
  gender: 'female',
  birthdate: '0000-12-10',
  zoneinfo: 'Europe/London',
  locale: 'en-GB',
  phone_number: '+44 20 7946 0000',
  phone_number_verified: true,
  address: { formatted: '12 St James’s Square\nLondon', country: 'GB' },
};

describe('how the token comes (UIF-01)', () => {
  test.each<[string, (token: string) => RawRequest]>([
    ['GET with a header', (token) => ({ path: '/userinfo', headers: bearer(token) })],
    ['POST with a header', (token) => ({ method: 'POST', path: '/userinfo', headers: bearer(token) })],
    [
      'the scheme in lower case (HTTP-14)',
      (token) => ({ path: '/userinfo', headers: bearer(token, 'bearer') }),
    ],
    ['the scheme in capitals', (token) => ({ path: '/userinfo', headers: bearer(token, 'BEARER') })],
    ['POST with a form', (token) => posted({ access_token: token })],
    [
      'POST with a header and a form about something else',
      (token) => ({ ...posted({ x: 'y' }), headers: { ...bearer(token), 'content-type': form } }),
    ],
  ])('%s', async (_, request) => {
    const shop = await startShop();
    const { access_token } = await shop.tokens();
    const { status, headers, body } = await rawRequest(shop.idp.url, request(access_token));
    expect([status, JSON.parse(body)]).toEqual([200, expect.objectContaining({ sub: shop.user.id })]);
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
    expect(headers['cache-control']).toBe('no-store');
  });

  test('HEAD answers as GET does, without the body', async () => {
    const shop = await startShop();
    const { access_token } = await shop.tokens();
    const request = { method: 'HEAD', path: '/userinfo', headers: bearer(access_token) };
    const { status, body } = await rawRequest(shop.idp.url, request);
    expect([status, body]).toEqual([200, '']);
  });

  test.each<[string, (token: string) => RawRequest]>([
    ['in the query (HTTP-22)', (token) => ({ path: `/userinfo?access_token=${token}` })],
    [
      'in the query and a header',
      (token) => ({ path: `/userinfo?access_token=${token}`, headers: bearer(token) }),
    ],
    [
      'in a header and a form (RFC 6750 §2)',
      (token) => ({
        ...posted({ access_token: token }),
        headers: { ...bearer(token), 'content-type': form },
      }),
    ],
    ['twice in a form', (token) => posted({ access_token: [token, token] })],
    ['as nothing', () => ({ path: '/userinfo', headers: { authorization: 'Bearer' } })],
    ['with a space in it', (token) => ({ path: '/userinfo', headers: bearer(`${token} x`) })],
    ['with a character that no token has', (token) => ({ path: '/userinfo', headers: bearer(`${token}"`) })],
    [
      'in JSON',
      (token) => ({
        ...{ method: 'POST', path: '/userinfo', body: JSON.stringify({ access_token: token }) },
        headers: { 'content-type': 'application/json' },
      }),
    ],
  ])('400 where it comes %s (UIF-01, UIF-03)', async (_, request) => {
    const shop = await startShop();
    const { access_token } = await shop.tokens();
    const { status, headers, body } = await rawRequest(shop.idp.url, request(access_token));
    expect([status, JSON.parse(body).error]).toEqual([400, 'invalid_request']);
    expect(headers['www-authenticate']).toContain('error="invalid_request"');
  });

  test('a token that is refused leaves a line in the log, and nothing of itself', async () => {
    const { idp } = await startShop();
    expect((await idp.userinfo('some.wrong.token')).status).toBe(401);
    const lines = idp.logged.filter(({ message }) => message === 'request refused');
    expect(lines).toMatchObject([{ fields: { path: '/userinfo', error: 'invalid_token' } }]);
    expect(JSON.stringify(lines)).not.toContain('some.wrong');
  });

  test.each<[string, RawRequest]>([
    ['nothing at all', { path: '/userinfo' }],
    ['another scheme', { path: '/userinfo', headers: { authorization: 'Basic YTpi' } }],
    ['a scheme that only begins so', { path: '/userinfo', headers: { authorization: 'BearerX abc' } }],
    ['an empty form', posted({})],
  ])('401 and a challenge without an error where there is %s (RFC 6750 §3.1, UIF-03)', async (_, request) => {
    const shop = await startShop();
    const { status, headers, body } = await rawRequest(shop.idp.url, request);
    expect([status, body]).toEqual([401, '']);
    expect(headers['www-authenticate']).toBe('Bearer realm="sallyport"');
    expect(headers['cache-control']).toBe('no-store');
  });
});

describe('a token that is not good here: 401 invalid_token (UIF-03)', () => {
  test.each<[string, (shop: Shop) => Promise<string>]>([
    ['nothing of ours', async () => 'abc'],
    ['a JWT without a signature', async ({ tokens }) => (await tokens()).access_token.replace(/[^.]*$/, '')],
    ['one with a changed signature', async ({ tokens }) => changed((await tokens()).access_token, 2)],
    ['one with a changed body', async ({ tokens }) => changed((await tokens()).access_token, 1)],
    ['one with a changed head', async ({ tokens }) => changed((await tokens()).access_token, 0)],
    [
      'one that says alg none (hardening 19)',
      async ({ tokens }) => forged((await tokens()).access_token, 'none'),
    ],
    ['one that says HS256', async ({ tokens }) => forged((await tokens()).access_token, 'HS256')],
    ['one that says PS256', async ({ tokens }) => forged((await tokens()).access_token, 'PS256')],
    [
      'cut off at 80 characters (hardening 20)',
      async ({ tokens }) => (await tokens()).access_token.slice(0, 80),
    ],
    ['an ID token (JAT-02)', async ({ tokens }) => (await tokens()).id_token],
    ['a refresh token (JAT-02)', async ({ tokens }) => (await tokens()).refresh_token],
    ['a code (JAT-02)', ({ code }) => code()],
    ['over 16 KiB', async () => 'a'.repeat(16_000)],
  ])('%s', async (_, tokenOf) => {
    const shop = await startShop();
    await expectInvalid(shop, await tokenOf(shop));
  });

  test('one that has expired, to the second', async () => {
    const shop = await startShop();
    const { access_token } = await shop.tokens();
    shop.idp.advance(599);
    expect((await shop.idp.userinfo(access_token)).status).toBe(200);
    shop.idp.advance(1);
    await expectInvalid(shop, access_token);
  });

  test('one whose authorization the janitor has deleted', async () => {
    const shop = await startShop({ settings: { ACCESS_TOKEN_SECONDS: '86400' } });
    const { access_token } = await shop.tokens();
    await deleteExpired(shop.idp.db, shop.idp.now() + 400 * 86_400);
    await expectInvalid(shop, access_token);
  });

  test('403 insufficient_scope naming openid, where the token is good but lacks it (UIF-03)', async () => {
    const shop = await startShop();
    const { access_token } = await shop.tokens({ scope: 'email' });
    const { status, headers, body } = await shop.idp.userinfo(access_token);
    expect([status, body.error]).toEqual([403, 'insufficient_scope']);
    expect(headers.get('www-authenticate')).toMatch(/error="insufficient_scope".*scope="openid"/);
  });
});

describe('the claims', () => {
  test.each([
    ['openid', ['sub']],
    ['openid email', ['sub', 'email', 'email_verified']],
    ['openid phone', ['sub', 'phone_number', 'phone_number_verified']],
    ['openid address', ['sub', 'address']],
    [
      'openid profile',
      [
        ...['sub', 'name', 'family_name', 'given_name', 'middle_name', 'nickname', 'preferred_username'],
        ...['profile', 'picture', 'website', 'gender', 'birthdate', 'zoneinfo', 'locale', 'updated_at'],
      ],
    ],
  ])('of scope=%s: every one that the person has (UIF-05)', async (scope, names) => {
    const shop = await startShop({ user: { claims: everything } });
    const { body } = await shop.idp.userinfo((await shop.tokens({ scope })).access_token);
    expect(Object.keys(body).sort()).toEqual([...names].sort());
    const known = { ...everything, sub: shop.user.id, email: 'ada@example.com', email_verified: true };
    expect({ ...known, updated_at: shop.user.updated_at }).toMatchObject(body);
  });

  test('have the types of the specification (UIF-06)', async () => {
    const shop = await startShop({ user: { claims: everything, email_verified: false } });
    const scope = 'openid profile email phone address';
    const { body } = await shop.idp.userinfo((await shop.tokens({ scope })).access_token);
    expect([body.email_verified, body.phone_number_verified]).toEqual([false, true]);
    expect(body.updated_at).toBeTypeOf('number');
    expect(body.address).toEqual(everything.address);
  });

  test('that a person does not have are left out: no null, no empty text (IDT-10)', async () => {
    const shop = await startShop({ user: { claims: {} } });
    const scope = 'openid profile email phone address roles';
    const { body } = await shop.idp.userinfo((await shop.tokens({ scope })).access_token);
    expect(Object.keys(body).sort()).toEqual(['email', 'email_verified', 'sub', 'updated_at']);
  });

  test('roles are told to who may ask for them', async () => {
    const shop = await startShop({ metadata: { scope: 'openid roles' }, user: { roles: ['editor', 'x:y'] } });
    const { access_token } = await shop.tokens({ scope: 'openid roles' });
    expect((await shop.idp.userinfo(access_token)).body).toEqual({
      sub: shop.user.id,
      roles: ['editor', 'x:y'],
    });
  });

  test('that were asked for by name are given beside those of the scope (UIF-07)', async () => {
    const shop = await startShop({ user: { claims: everything } });
    const claims = JSON.stringify({
      userinfo: { given_name: { essential: true }, phone_number: null, unknown_claim: null, sub: null },
      id_token: { nickname: null },
    });
    const { body } = await shop.idp.userinfo((await shop.tokens({ claims })).access_token);
    expect(body).toEqual({ sub: shop.user.id, given_name: 'Ada', phone_number: '+44 20 7946 0000' });
  });

  test('sub is that of the ID token, in every session and for every client (IDT-15, UIF-02)', async () => {
    const shop = await startShop();
    const first = await shop.tokens();
    shop.browser.cookies.clear();
    const second = await shop.tokens();
    for (const { access_token, id_token } of [first, second]) {
      const { body } = await shop.idp.userinfo(access_token);
      expect([body.sub, decodeJwt(id_token).sub]).toEqual([shop.user.id, shop.user.id]);
    }
    expect(shop.user.id).toMatch(/^[\x21-\x7e]{1,255}$/);
  });
});

test('a body over 16 KiB of token is refused before it is looked at (hardening 21)', async () => {
  const shop = await startShop();
  const { status, body } = await post(`${shop.idp.url}/userinfo`, { access_token: 'a'.repeat(16_385) });
  expect([status, body.error]).toEqual([400, 'invalid_request']);
});

function bearer(token: string, scheme = 'Bearer') {
  return { authorization: `${scheme} ${token}` };
}

function posted(fields: Record<string, string | string[]>): RawRequest {
  return {
    method: 'POST',
    path: '/userinfo',
    headers: { 'content-type': form },
    body: formBody(fields).toString(),
  };
}

/** The token with a character of one of its parts changed. */
function changed(token: string, index: number): string {
  const parts = token.split('.');
  const part = parts[index] ?? '';
  const middle = Math.floor(part.length / 2);
  const other = part[middle] === 'A' ? 'B' : 'A';
  return parts.with(index, part.slice(0, middle) + other + part.slice(middle + 1)).join('.');
}

/** The token with another algorithm in its head; HS256 is signed with what everybody knows of our key. */
function forged(token: string, alg: string): string {
  const [head = '', payload = '', signature = ''] = token.split('.');
  const header = { ...JSON.parse(Buffer.from(head, 'base64url').toString()), alg };
  const signed = `${Buffer.from(JSON.stringify(header)).toString('base64url')}.${payload}`;
  if (alg === 'none') return `${signed}.AAAA`;
  if (alg !== 'HS256') return `${signed}.${signature}`;
  return `${signed}.${createHmac('sha256', header.kid).update(signed).digest('base64url')}`;
}

async function expectInvalid(shop: Shop, token: string): Promise<void> {
  const { status, headers, body } = await shop.idp.userinfo(token);
  expect([status, body.error]).toEqual([401, 'invalid_token']);
  const challenge = headers.get('www-authenticate');
  expect(challenge).toMatch(/^Bearer realm="sallyport", error="invalid_token", error_description="[^"]+"/);
  expect(challenge).toContain(`, error_uri="${shop.idp.issuer}/errors#invalid_token"`);
  expect(headers.get('cache-control')).toBe('no-store');
}
