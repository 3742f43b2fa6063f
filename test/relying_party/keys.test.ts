import { describe, expect, test } from 'vitest';
import { RemoteError, type TokenError } from '../../src/relying_party/index.js';
import { badAnswers, startIssuer, type TestIssuer } from '../support/issuer.js';

const discovery = '/.well-known/openid-configuration';

describe('the keys of the issuer', () => {
  test('are fetched once for all who wait', async () => {
    const idp = await startIssuer();
    const verifier = idp.verifier();
    const tokens = await Promise.all(Array.from({ length: 20 }, (_, i) => idp.token({ jti: `${i}` })));
    await Promise.all(tokens.map((token) => verifier.verify(token)));
    expect([idp.asked(discovery), idp.asked('/jwks')]).toEqual([1, 1]);
  });

  test('are fetched anew for an unknown kid, at most every 10 seconds', async () => {
    const idp = await startIssuer();
    const verifier = idp.verifier();
    await verifier.verify(await idp.token());
    idp.keys.set('k2', 'RS256');
    const unknown = await idp.token({}, {}, 'k2');

    idp.advance(9);
    await expect(verifier.verify(unknown)).rejects.toMatchObject({ reason: 'unknown_key' });
    idp.advance(1);
    await Promise.all([verifier.verify(unknown), verifier.verify(unknown)]);
    expect(idp.asked('/jwks')).toBe(2);

    const strange = await idp.token({}, { kid: 'k3' });
    for (let i = 0; i < 20; i += 1) await verifier.verify(strange).catch(() => undefined);
    expect(idp.asked('/jwks')).toBe(2);
  });

  test.each([
    ['max-age=0', 300],
    ['public, max-age=400', 400],
    ['max-age=999999999', 86_400],
    ['no-store', 600],
  ])('with %s are fetched anew after %i seconds, while requests go on', async (cache_control, seconds) => {
    const idp = await startIssuer();
    const { fetch } = withCacheControl(cache_control);
    const verifier = idp.verifier({ fetch, keys_max_staleness_seconds: 1e6 });
    const token = await idp.token({ exp: idp.clock.now + 1e6 });
    await verifier.verify(token);
    idp.advance(seconds - 1);
    await verifier.verify(token);
    expect(idp.asked('/jwks')).toBe(1);
    idp.advance(1);
    await verifier.verify(token);
    await expect.poll(() => idp.asked('/jwks')).toBe(2);
  });

  test('that the issuer has taken back no longer count, even for a token that was verified before', async () => {
    const idp = await startIssuer();
    const verifier = idp.verifier();
    const token = await idp.token({ exp: idp.clock.now + 7200 });
    await verifier.verify(token);
    idp.keys.delete('k1');
    idp.keys.set('k2', 'RS256');
    idp.advance(10);
    await verifier.verify(await idp.token({}, {}, 'k2'));
    await expect(verifier.verify(token)).rejects.toMatchObject({ reason: 'unknown_key' });
  });

  test.each([
    ['use is enc', { use: 'enc' }],
    ['alg is another', { alg: 'RS512' }],
    ['key_ops is for encryption', { key_ops: ['encrypt'] }],
    ['it is a shared secret', { kty: 'oct', k: 'AAAA' }],
    ['it cannot be read', { n: '' }],
    ['it is too short', { n: 'uTIJIBqKKNRHAbWFVuaGyyQF3WTzlyDXZxJJNVRIJCOIBGvBX5hF' }],
  ])('are left out where %s', async (_, change) => {
    const idp = await startIssuer();
    const token = await idp.token();
    const { keys } = (await (await fetch(`${idp.issuer}/jwks`)).json()) as { keys: object[] };
    const body = JSON.stringify({ keys: [{ ...keys[0], ...change }, null, 'x'] });
    idp.faults.set('/jwks', (_req, res) => res.end(body));
    const error = await idp
      .verifier()
      .verify(token)
      .catch((error: TokenError) => error);
    expect(['keys_unavailable', 'unknown_key']).toContain((error as TokenError).reason);
  });
});

describe('an issuer that cannot be asked', () => {
  const wrong: typeof badAnswers = [
    ...badAnswers,
    ['no keys', (_, res) => res.end('{"keys":[]}')],
    [
      'another issuer',
      (_, res) => res.end('{"issuer":"https://evil.example","jwks_uri":"https://evil.example/jwks"}'),
    ],
  ];
  for (const path of [discovery, '/jwks']) {
    test.each(wrong)(`${path} answers %s: 503, and recovery by itself`, async (_, answer) => {
      const idp = await startIssuer();
      const verifier = idp.verifier();
      const token = await idp.token();
      idp.faults.set(path, answer);
      await expectUnavailable(verifier.verify(token));
      expect(verifier.reported[0]).toBeInstanceOf(RemoteError);

      idp.faults.clear();
      await expectUnavailable(verifier.verify(token)); // not asked again within the second
      idp.advance(1);
      expect((await verifier.verify(token)).sub).toBe('u1');
    });
  }

  test('answers nothing, or does not come to an end, within 5 seconds: 503', async () => {
    const [silent, endless] = [await startIssuer(), await startIssuer()];
    silent.faults.set('/jwks', () => undefined);
    endless.faults.set('/jwks', (_, res) => res.write('{"keys":['));
    await Promise.all(
      [silent, endless].map(async (idp) => expectUnavailable(idp.verifier().verify(await idp.token()))),
    );
  });

  test.each(wrong)('answers %s later: applications go on with the keys they have', async (_, answer) => {
    const idp = await startIssuer();
    const verifier = idp.verifier();
    await verifier.verify(await idp.token());
    idp.faults.set('/jwks', answer);
    idp.faults.set(discovery, answer);
    idp.advance(3600);
    expect((await verifier.verify(await idp.token())).sub).toBe('u1');
    await expect.poll(() => verifier.reported.length).toBeGreaterThan(0);
    await expectUnavailable(verifier.verify(await idp.token({}, { kid: 'k9' })));
  });

  test('is down for a minute: tokens go on, those seen and those not seen before', async () => {
    const idp = await startIssuer();
    const verifier = idp.verifier();
    const seen = await idp.token();
    await verifier.verify(seen);
    await idp.stop();
    idp.advance(60);
    await verifier.verify(seen);
    await verifier.verify(await idp.token());
    await idp.restart();
    idp.keys.set('k2', 'RS256');
    expect((await verifier.verify(await idp.token({}, {}, 'k2'))).sub).toBe('u1');
  });

  test('is down for a day: nothing is accepted any more', async () => {
    const idp = await startIssuer();
    const verifier = idp.verifier();
    const token = await idp.token({ exp: idp.clock.now + 1e6 });
    await verifier.verify(token);
    await idp.stop();
    idp.advance(86_399);
    await verifier.verify(token);
    idp.advance(1);
    await expectUnavailable(verifier.verify(token));
    await idp.restart();
    idp.advance(10);
    await verifier.verify(token);
  });

  test.each([
    ['jwks_uri over http', { jwks_uri: 'http://keys.example/jwks' }],
    ['no jwks_uri', { jwks_uri: undefined }],
    ['a jwks_uri that is none', { jwks_uri: 'keys' }],
  ])('describes %s: 503', async (_, change) => {
    const idp = await startIssuer();
    idp.faults.set(discovery, (_req, res) => res.end(JSON.stringify({ issuer: idp.issuer, ...change })));
    await expectUnavailable(idp.verifier().verify(await idp.token()));
  });
});

test('after close() nothing is fetched', async () => {
  const idp = await startIssuer();
  const verifier = idp.verifier();
  verifier.close();
  await expectUnavailable(verifier.verify(await idp.token()));
  expect(idp.requests).toEqual([]);
});

async function expectUnavailable(verified: ReturnType<ReturnType<TestIssuer['verifier']>['verify']>) {
  await expect(verified).rejects.toMatchObject({
    code: 'temporarily_unavailable',
    reason: 'keys_unavailable',
    status: 503,
    retry_after: 5,
  });
}

/** The network, with another Cache-Control on what it brings. */
function withCacheControl(cache_control: string) {
  return {
    async fetch(url: string, init: RequestInit) {
      const response = await fetch(url, init);
      return new Response(response.body, { headers: { 'cache-control': cache_control } });
    },
  };
}
