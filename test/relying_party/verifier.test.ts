import { createHmac, generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { exportSPKI, type JWTPayload } from 'jose';
import { describe, expect, test } from 'vitest';
import { createVerifier, TokenError } from '../../src/relying_party/index.js';
import { audience, keyPair, startIssuer, type TestIssuer } from '../support/issuer.js';

describe('a verifier', () => {
  test('tells what a good token says, and asks the issuer twice in all', async () => {
    const idp = await startIssuer();
    const verifier = idp.verifier();
    const token = await idp.token({ roles: ['clerk'], auth_time: 7, acr: 'a', extra: { deep: [1] } });

    const verified = await verifier.verify(token);
    expect(verified).toMatchObject({ sub: 'u1', client_id: 'shop', scope: ['jobs:read', 'jobs:run'] });
    expect(verified).toMatchObject({ roles: ['clerk'], auth_time: 7, acr: 'a', exp: idp.clock.now + 600 });
    expect(verified.claims.extra).toEqual({ deep: [1] });
    expect(await verifier.verify(token)).toBe(verified);
    expect(await verifier.verify(await idp.token())).not.toBe(verified);
    expect(idp.requests.map(({ path }) => path)).toEqual(['/.well-known/openid-configuration', '/jwks']);
  });

  test('gives every request the same token, so nothing of it can be changed', async () => {
    const idp = await startIssuer();
    const { claims, ...verified } = await idp.verifier().verify(await idp.token({ extra: { deep: [1] } }));
    expect(() => Object.assign(claims, { sub: 'u2' })).toThrow(TypeError);
    expect(() => (claims.extra as { deep: number[] }).deep.push(2)).toThrow(TypeError);
    expect(() => (verified.scope as string[]).push('admin')).toThrow(TypeError);
  });

  test.each(['RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'] as const)(
    'checks %s where that is allowed, and refuses it where it is not',
    async (alg) => {
      const idp = await startIssuer();
      idp.keys.set(alg, alg);
      const token = await idp.token({}, {}, alg);
      expect((await idp.verifier({ algorithms: [alg] }).verify(token)).sub).toBe('u1');
      await expectRefused(idp, token, 'algorithm');
      await expect(idp.verifier({ algorithms: [alg] }).verify(flipSignature(token))).rejects.toMatchObject({
        reason: 'signature',
      });
    },
  );

  test('takes a token without kid where one key alone can be meant', async () => {
    const idp = await startIssuer();
    const token = await idp.token({}, { kid: undefined });
    expect((await idp.verifier().verify(token)).sub).toBe('u1');
    idp.keys.set('k2', 'RS256');
    await expectRefused(idp, token, 'unknown_key');
  });

  test.each([
    [{ issuer: 'http://id.example.com' }],
    [{ issuer: 'id.example.com' }],
    [{ issuer: 'https://id.example.com?tenant=1' }],
    [{ audience: [] }],
    [{ audience: '' }],
    [{ algorithms: ['none'] as never }],
    [{ algorithms: ['HS256'] as never }],
    [{ clock_tolerance_seconds: Number.NaN }],
    [{ clock_tolerance_seconds: Number.POSITIVE_INFINITY }],
    [{ clock_tolerance_seconds: -1 }],
    [{ max_staleness_seconds: Number.NaN }],
    [{ max_staleness_seconds: -1 }],
    [{ keys_max_staleness_seconds: Number.NaN }],
    [{ keys_max_staleness_seconds: '60' as never }],
    [{ cache_size: Number.NaN }],
    [{ cache_size: 0.5 }],
    [{ cache_size: Number.POSITIVE_INFINITY }],
  ])('is not made with %o', (options) => {
    expect(() => createVerifier({ issuer: 'https://id.example.com', audience, ...options })).toThrow(
      TypeError,
    );
  });
});

describe('a token is refused (RFC 9068 §4, RFC 8725 §3)', () => {
  const claims: readonly (readonly [string, JWTPayload, string])[] = [
    ['is from another issuer', { iss: 'https://evil.example' }, 'issuer'],
    ['is from no issuer', { iss: undefined as never }, 'issuer'],
    ['is for another audience', { aud: 'https://other.example.com' }, 'audience'],
    ['is for a longer audience', { aud: `${audience}/` }, 'audience'],
    ['is for nobody', { aud: [] }, 'audience'],
    ['has expired', { exp: 1_800_000_000 - 5 }, 'expired'],
    ['expires at a word', { exp: '1' as never }, 'claims'],
    ['never expires', { exp: undefined as never }, 'claims'],
    ['is not valid yet', { nbf: 1_800_000_006 }, 'not_yet_valid'],
    ['was issued in the future', { iat: 1_800_000_006 }, 'not_yet_valid'],
    ['was issued never', { iat: undefined as never }, 'claims'],
    ['has no subject', { sub: '' }, 'claims'],
    ['names no client', { client_id: undefined }, 'claims'],
    ['has scopes in a list', { scope: ['jobs:run'] }, 'claims'],
    ['is bound to a key (RFC 9449 §7.2)', { cnf: { jkt: 'x' } }, 'confirmation'],
    ['has a status that is none', { status: 'good' }, 'claims'],
    ['has a status of another kind', { status: { identifier_list: {} } }, 'claims'],
    ['has a negative index', { status: { status_list: { idx: -1, uri: 'https://x.example' } } }, 'claims'],
    [
      'has a status list elsewhere',
      { status: { status_list: { idx: 1, uri: 'https://x.example/1' } } },
      'status_uri',
    ],
  ];
  test.each(claims)('that %s', async (_, change, reason) => {
    const idp = await startIssuer();
    await expectRefused(idp, await idp.token(change), reason);
  });

  const headers: readonly (readonly [string, object, string])[] = [
    ['is an ID token', { typ: 'JWT' }, 'type'],
    ['has no type', { typ: undefined }, 'type'],
    ['is a logout token', { typ: 'logout+jwt' }, 'type'],
    ['names a key that is not there', { kid: 'k9' }, 'unknown_key'],
    ['names a key by a number', { kid: 1 }, 'malformed'],
  ];
  test.each(headers)('that %s', async (_, change, reason) => {
    const idp = await startIssuer();
    await expectRefused(idp, await idp.token({}, change), reason);
  });

  const texts: readonly (readonly [
    string,
    (good: string, idp: TestIssuer) => string | Promise<string>,
    string,
  ])[] = [
    ['is empty', () => '', 'malformed'],
    ['is no text', () => undefined as never, 'malformed'],
    ['is two parts', (good) => good.slice(0, good.lastIndexOf('.')), 'malformed'],
    ['is four parts', (good) => `${good}.x`, 'malformed'],
    ['has no signature', (good) => good.slice(0, good.lastIndexOf('.') + 1), 'malformed'],
    ['is truncated', (good) => good.slice(0, -10), 'signature'],
    ['is tampered with in its claims', (good) => withPart(good, 1, { sub: 'admin' }), 'signature'],
    ['is tampered with in its signature', flipSignature, 'signature'],
    ['has a signature with strange characters', (good) => `${good}!`, 'signature'],
    ['is longer than 16 KiB', (good) => good + 'A'.repeat(16_384), 'malformed'],
    ['has characters outside ASCII', (good) => good.replace('.', '\u012e'), 'malformed'],
    ['is signed by nobody', (good) => `${withPart(good, 0, { alg: 'none', typ: 'at+jwt' })}`, 'algorithm'],
    ['has a header that is no object', (good) => withPart(good, 0, []), 'malformed'],
    [
      'demands an extension',
      (good) => withPart(good, 0, { alg: 'RS256', typ: 'at+jwt', crit: ['exp'] }),
      'crit',
    ],
    ['is compressed', (good) => withPart(good, 0, { alg: 'RS256', typ: 'at+jwt', zip: 'DEF' }), 'crit'],
    ['is signed by HMAC with the public key', hmacWithPublicKey, 'algorithm'],
    ['is signed by another issuer’s key of the same kid', foreignKey, 'signature'],
  ];
  test.each(texts)('that %s', async (_, change, reason) => {
    const idp = await startIssuer();
    await expectRefused(idp, await change(await idp.token(), idp), reason);
  });

  test('whatever it is, with a TokenError and nothing else', async () => {
    const idp = await startIssuer();
    const verifier = idp.verifier();
    const good = await idp.token();
    const mangled = fc
      .tuple(fc.nat(good.length), fc.nat(20), fc.string({ unit: 'binary' }))
      .map(([at, length, text]) => good.slice(0, at) + text + good.slice(at + length))
      .filter((text) => text !== good);
    await fc.assert(
      fc.asyncProperty(fc.oneof(mangled, fc.string()), async (text) => {
        await expect(verifier.verify(text)).rejects.toBeInstanceOf(TokenError);
      }),
    );
  });

  test('when it expires, though it was verified before; clocks may differ by 5 seconds', async () => {
    const idp = await startIssuer();
    const verifier = idp.verifier();
    const token = await idp.token();
    await verifier.verify(token);
    idp.advance(604);
    await verifier.verify(token);
    idp.advance(1);
    await expect(verifier.verify(token)).rejects.toMatchObject({ reason: 'expired', status: 401 });
  });
});

describe('a request needs', () => {
  test.each([
    [{ scope: 'jobs:run' }, null],
    [{ scope: 'jobs:run jobs:read' }, null],
    [
      { scope: 'jobs:run jobs:write' },
      'Bearer error="insufficient_scope", error_description="the token lacks a scope", scope="jobs:run jobs:write"',
    ],
    [
      { scope: ['jobs'] },
      'Bearer error="insufficient_scope", error_description="the token lacks a scope", scope="jobs"',
    ],
    [{ role: 'clerk' }, null],
    [{ role: ['admin', 'clerk'] }, null],
    [{ role: 'admin' }, 'Bearer error="insufficient_scope", error_description="the token lacks a role"'],
    [{ max_age: 100 }, null],
    [
      { max_age: 99 },
      'Bearer error="insufficient_user_authentication", error_description="a more recent sign-in is needed", max_age="99"',
    ],
    [{ acr_values: 'urn:one urn:two' }, null],
    [
      { acr_values: ['urn:three', 'urn:four'] },
      'Bearer error="insufficient_user_authentication", error_description="a stronger sign-in is needed", acr_values="urn:three urn:four"',
    ],
  ])('%o (RFC 6750 §3, RFC 9470 §3, PRM-02, PRM-03)', async (required, challenge) => {
    const idp = await startIssuer();
    const token = await idp.token({ roles: ['clerk'], auth_time: idp.clock.now - 100, acr: 'urn:two' });
    const error = await idp
      .verifier()
      .verify(token, required)
      .then(
        () => null,
        (error: TokenError) => error,
      );
    expect(error?.challenge() ?? null).toBe(challenge);
    expect(error?.status).toBe(challenge?.includes('scope') ? 403 : challenge ? 401 : undefined);
  });

  test('a sign-in whose time is known, where it asks for a recent one', async () => {
    const idp = await startIssuer();
    await expect(idp.verifier().verify(await idp.token(), { max_age: 1e9 })).rejects.toMatchObject({
      reason: 'max_age',
    });
  });
});

async function expectRefused(idp: TestIssuer, token: string, reason: string): Promise<void> {
  const error: unknown = await idp
    .verifier()
    .verify(token)
    .catch((error: unknown) => error);
  expect(error).toBeInstanceOf(TokenError);
  expect(error).toMatchObject({ reason, code: 'invalid_token', status: 401 });
}

function withPart(token: string, index: number, value: object): string {
  const part = Buffer.from(JSON.stringify(value)).toString('base64url');
  return token.split('.').with(index, part).join('.');
}

function flipSignature(token: string): string {
  const at = token.lastIndexOf('.') + 20;
  return token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1);
}

async function hmacWithPublicKey(good: string): Promise<string> {
  const signed = withPart(good, 0, { alg: 'HS256', typ: 'at+jwt', kid: 'k1' })
    .split('.')
    .slice(0, 2)
    .join('.');
  const pem = await exportSPKI((await keyPair('k1')).publicKey);
  return `${signed}.${createHmac('sha256', pem).update(signed).digest('base64url')}`;
}

async function foreignKey(_: string, idp: TestIssuer): Promise<string> {
  const { SignJWT, importPKCS8 } = await import('jose');
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = await importPKCS8(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), 'RS256');
  const { now } = idp.clock;
  const claims = { iss: idp.issuer, aud: audience, sub: 'u1', client_id: 'shop', iat: now, exp: now + 600 };
  return new SignJWT(claims).setProtectedHeader({ alg: 'RS256', typ: 'at+jwt', kid: 'k1' }).sign(key);
}
