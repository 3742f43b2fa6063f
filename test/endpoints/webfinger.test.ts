import { describe, expect, test } from 'vitest';
import { startIdp } from '../support/idp.js';
import { rawRequest } from '../support/raw_http.js';

const rel = 'http://openid.net/specs/connect/1.0/issuer';

async function ask(query: string, ISSUER = 'https://id.example:8443/sso') {
  const idp = await startIdp({ settings: { ISSUER } });
  await idp.addUser({ email: 'ada@id.example' });
  return rawRequest(idp.url, { path: `/.well-known/webfinger?${query}` });
}

const asked = (resource: string, more = '') => ask(`resource=${encodeURIComponent(resource)}${more}`);

describe('WebFinger (Discovery §2, RFC 7033)', () => {
  test.each([
    'acct:ada@id.example',
    'acct:nobody@id.example',
    'acct:ada@ID.example:8443',
    'https://id.example:8443/sso/ada',
    'https://id.example',
  ])('of %s is the issuer, whether there is such an account or not (DSC-21)', async (resource) => {
    const { status, headers, body } = await asked(resource);
    expect([status, headers['content-type'], headers['access-control-allow-origin']]).toEqual([
      200,
      'application/jrd+json',
      '*',
    ]);
    expect(JSON.parse(body)).toEqual({
      subject: resource,
      links: [{ rel, href: 'https://id.example:8443/sso' }],
    });
  });

  test('answers the relations that are asked for (RFC 7033 §4.3)', async () => {
    const of = async (...rels: string[]) =>
      JSON.parse(
        (await asked('acct:ada@id.example', rels.map((one) => `&rel=${encodeURIComponent(one)}`).join('')))
          .body,
      ).links;
    expect((await of(rel)).length).toBe(1);
    expect((await of('http://webfinger.net/rel/avatar', rel)).length).toBe(1);
    expect(await of('http://webfinger.net/rel/avatar')).toEqual([]);
  });

  test.each([
    ['without resource', '', 400],
    ['with an empty one', 'resource=', 400],
    ['with two', 'resource=acct:a@id.example&resource=acct:b@id.example', 400],
    ['with one that is no URI', 'resource=ada', 400],
    ['with an account without a host', 'resource=acct:ada', 400],
    ['with two hosts', 'resource=acct:ada@id.example@evil.example', 400],
    ['with no URL behind its scheme', 'resource=https:', 400],
    ['with a scheme that names no host', 'resource=tel:1234', 404],
    ['with an address', 'resource=mailto:ada@id.example', 404],
    ['with another host', 'resource=acct:ada@evil.example', 404],
    ['with another port', 'resource=https://id.example:9/ada', 404],
    ['with a host below ours', 'resource=https://x.id.example/ada', 404],
    ['with our host as a user name', 'resource=https://id.example@evil.example/', 404],
  ])('%s is refused (DSC-21)', async (_, query, expected) => {
    const { status, headers } = await ask(query);
    expect([status, headers['content-type']]).toEqual([expected, 'application/json; charset=utf-8']);
  });

  test('asks the database nothing', async () => {
    const idp = await startIdp();
    await idp.deps.db.close();
    const { host } = new URL(idp.issuer);
    expect((await idp.fetch(`/.well-known/webfinger?resource=acct:ada@${host}`)).status).toBe(200);
  });
});
