import { expect, test } from 'vitest';
import { startIdp } from '../support/idp.js';
import { rawRequest } from '../support/raw_http.js';

test.each(['/healthz', '/readyz'])(
  'GET %s: the server answers, and nobody keeps the answer',
  async (path) => {
    const idp = await startIdp();
    const { status, headers, body } = await rawRequest(idp.url, { path });
    expect([status, JSON.parse(body)]).toEqual([200, { status: 'ok' }]);
    expect([headers['content-type'], headers['cache-control']]).toEqual([
      'application/json; charset=utf-8',
      'no-store',
    ]);
    expect((await rawRequest(idp.url, { method: 'HEAD', path })).status).toBe(200);
  },
);

test('without its database the process lives but is not ready, and the log says why', async () => {
  const idp = await startIdp();
  await idp.db.close();
  expect((await rawRequest(idp.url, { path: '/healthz' })).status).toBe(200);
  const { status, body } = await rawRequest(idp.url, { path: '/readyz' });
  expect([status, JSON.parse(body)]).toEqual([503, { status: 'unavailable' }]);
  expect(idp.logged).toContainEqual(
    expect.objectContaining({ level: 'error', message: 'the database does not answer' }),
  );
});

test('without its database other answers are calm, and tell nothing of it', async () => {
  const idp = await startIdp();
  await idp.db.close();
  for (const path of ['/', '/authorize?client_id=x', '/jwks', '/.well-known/openid-configuration']) {
    const { status, body } = await rawRequest(idp.url, { path });
    expect([path, status]).toEqual([path, 500]);
    expect(body).not.toMatch(/sqlite|database|\.ts|at .*\(/i);
  }
});
