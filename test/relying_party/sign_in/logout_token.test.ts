/** Logout tokens with every fault, and each is refused. OpenID Connect Back-Channel Logout §2.6. */
import { createPublicKey } from 'node:crypto';
import { generateKeyPair, UnsecuredJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import { logout_event, startAlone } from '../../support/sign_in.js';

/** A time that the app takes for now. */
const now = 1_700_000_000;

async function start() {
  const app = await startAlone();
  const send = async (fields: Iterable<[string, string]>) => {
    const response = await app.send('/backchannel-logout', {
      method: 'POST',
      body: new URLSearchParams([...fields]),
    });
    expect(response.headers.get('cache-control')).toBe('no-store');
    const text = await response.text();
    return { status: response.status, body: text === '' ? null : JSON.parse(text) };
  };
  return { ...app, send, sendToken: (token: string) => send([['logout_token', token]]) };
}

const refused = { status: 400, body: { error: 'invalid_request', error_description: expect.any(String) } };

describe('a logout token', () => {
  test('without a fault is taken', async () => {
    const { sendToken, sign, signedIn } = await start();
    expect([await sendToken(await sign({ sid: 's1' })), await signedIn()]).toEqual([
      { status: 200, body: null },
      false,
    ]);
  });

  type Fault = readonly [what: string, claims: object, header: object];
  const faults: readonly Fault[] = [
    ['of another issuer', { iss: 'https://other.example' }, {}],
    ['without an issuer', { iss: undefined }, {}],
    ['for another application', { aud: 'other' }, {}],
    ['for no application', { aud: undefined }, {}],
    ['for an empty list of applications', { aud: [] }, {}],
    ['that expired', { iat: now - 300, exp: now - 60 }, {}],
    ['without exp', { exp: undefined }, {}],
    ['whose exp is text', { exp: 'soon' }, {}],
    ['without iat', { iat: undefined }, {}],
    ['from the future', { iat: now + 300, exp: now + 600 }, {}],
    ['that is not valid yet', { nbf: now + 300 }, {}],
    ['without jti', { jti: undefined }, {}],
    ['whose jti is empty', { jti: '' }, {}],
    ['whose jti is no text', { jti: 1 }, {}],
    ['with a nonce', { nonce: 'n' }, {}],
    ['with a nonce that is null', { nonce: null }, {}],
    ['without events', { events: undefined }, {}],
    ['whose events are a list', { events: [logout_event] }, {}],
    ['whose events are another', { events: { 'http://schemas.openid.net/event/other': {} } }, {}],
    ['whose event is no object', { events: { [logout_event]: true } }, {}],
    ['whose event is null', { events: { [logout_event]: null } }, {}],
    ['with neither sub nor sid', { sid: undefined }, {}],
    ['whose sid is empty', { sid: '' }, {}],
    ['whose sid is no text', { sid: 1 }, {}],
    ['whose sub is no text', { sub: ['ada'] }, {}],
    ['that is an access token', {}, { typ: 'at+jwt' }],
    [
      'with an unknown critical header',
      () => ({}),
      { crit: ['urn:example:unknown'], 'urn:example:unknown': 1 },
    ],
    ['of a key that is not there', {}, { kid: 'unknown' }],
  ];

  test.each(faults)('%s is refused', async (_, claims, header) => {
    const { errors, sendToken, sign, signedIn } = await start();
    expect(await sendToken(await sign({ sid: 's1', ...claims }, header))).toEqual(refused);
    expect([errors.map(({ code }) => code), await signedIn()]).toEqual([['logout_invalid'], true]);
  });

  test.each(['', 'x', 'a.b.c', '....', 'e30.e30.', 'x'.repeat(20_000)])(
    'that is none is refused: %.20s',
    async (token) => {
      const { sendToken } = await start();
      expect(await sendToken(token)).toEqual(refused);
    },
  );

  test('that is missing or sent twice is refused', async () => {
    const { send, sign } = await start();
    const token = await sign({ sid: 's1' });
    expect(await send([])).toEqual(refused);
    expect(
      await send([
        ['logout_token', token],
        ['logout_token', token],
      ]),
    ).toEqual(refused);
  });

  test('by GET is refused, and told how', async () => {
    const { sign, signIn } = await start();
    const url = `https://app.example/backchannel-logout?logout_token=${await sign({ sid: 's1' })}`;
    const answer = await signIn.backchannelLogout(new Request(url));
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST']);
  });

  test('that nobody signed is refused', async () => {
    const { sendToken, signedIn } = await start();
    const claims = { iss: 'https://id.example', aud: 'app', sid: 's1', jti: 'j', iat: now, exp: now + 120 };
    const token = new UnsecuredJWT({ ...claims, events: { [logout_event]: {} } }).encode();
    expect([await sendToken(token), await signedIn()]).toEqual([refused, true]);
  });

  test('that is signed with the public key as an HMAC secret is refused', async () => {
    const { jwk, sendToken, sign, signedIn } = await start();
    const pem = createPublicKey({ key: jwk, format: 'jwk' }).export({
      type: 'spki',
      format: 'pem',
    });
    const token = await sign({ sid: 's1' }, { alg: 'HS256' }, Buffer.from(pem));
    expect([await sendToken(token), await signedIn()]).toEqual([refused, true]);
  });

  test.each(['RS256', 'RS512', 'PS256', 'ES256'])(
    'that another key signed with %s is refused',
    async (alg) => {
      const { sendToken, sign, signedIn } = await start();
      const { privateKey } = await generateKeyPair(alg);
      expect(await sendToken(await sign({ sid: 's1' }, { alg }, privateKey))).toEqual(refused);
      expect(await signedIn()).toBe(true);
    },
  );

  test('that was changed after it was signed is refused', async () => {
    const { sendToken, sign, signedIn } = await start();
    const [header = '', payload = '', signature = ''] = (await sign({ sid: 's1' })).split('.');
    const [, other = ''] = (await sign({ sub: 'ada' })).split('.');
    for (const parts of [
      [header, other, signature],
      [header, payload, `${signature}A`],
      [header, payload, signature.slice(0, -3)],
      [header, payload, ''],
      [header, payload],
      [header, payload, signature, ''],
    ]) {
      expect(await sendToken(parts.join('.'))).toEqual(refused);
    }
    expect(await signedIn()).toBe(true);
    expect((await sendToken([header, payload, signature].join('.'))).status).toBe(200);
  });
});
