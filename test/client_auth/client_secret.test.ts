import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { disableClient, rotateClientSecret } from '../../src/actions/clients.js';
import { digest } from '../../src/secrets.js';
import * as cacheVersions from '../../src/store/cache_versions.js';
import * as clients from '../../src/store/clients.js';
import { parameterText } from '../support/arbitraries.js';
import { type Form, post, startIdp, type TestIdp } from '../support/idp.js';

const grant = { grant_type: 'client_credentials' };
const confidential = { grant_types: ['client_credentials'], redirect_uris: [] };
const odd_id = 'a+b%c:d&e="\\~-_.*';
const odd_secret = 'a+b %c:d&é=€"\\~-_.*';

/** How libraries write the two halves of the Basic credentials. RFC 6749 §2.3.1 and Appendix B. */
const encodings: readonly [string, (text: string) => string][] = [
  ['as a form does, with + for a space', (text) => new URLSearchParams({ '': text }).toString().slice(1)],
  ['as encodeURIComponent does, with %20 for a space', encodeURIComponent],
  ['with every byte escaped', (text) => escaped(text).toUpperCase()],
  ['with every byte escaped in lower case', escaped],
];

describe('client_secret_basic', () => {
  test.each(encodings)('takes id and secret %s (CLA-02)', async (_, encode) => {
    const idp = await startWithSecret(odd_id, odd_secret);
    const { status } = await idp.token(grant, credentials(encode(odd_id), encode(odd_secret)));
    expect(status).toBe(200);
  });

  test('takes our own secrets as they are, whether they were encoded or not (CLA-02)', async () => {
    const idp = await startIdp();
    for (const encode of [(text: string) => text, ...encodings.map(([, each]) => each)]) {
      const { client, client_secret } = await idp.addClient(confidential);
      const { status } = await idp.token(grant, credentials(client.client_id, encode(client_secret ?? '')));
      expect(status).toBe(200);
    }
  });

  test('takes any secret that is encoded (CLA-02)', async () => {
    const idp = await startIdp();
    await idp.addClient(confidential, 'batch');
    await fc.assert(
      fc.asyncProperty(parameterText(40), async (secret) => {
        await setSecret(idp, 'batch', secret);
        const { status } = await idp.token(grant, credentials('batch', encodeURIComponent(secret)));
        expect(status).toBe(200);
      }),
      { numRuns: 40 },
    );
  });

  test.each(['Basic', 'basic', 'BASIC', 'bAsIc'])(
    'takes the scheme written %s (RFC 9110 §11.1, HTTP-14)',
    async (scheme) => {
      const idp = await startWithSecret('batch', 'secret');
      const { authorization } = credentials('batch', 'secret');
      const { status } = await idp.token(grant, { authorization: authorization.replace('Basic', scheme) });
      expect(status).toBe(200);
    },
  );

  test('takes client_id in the body beside it, if it is the same', async () => {
    const idp = await startWithSecret('batch', 'secret');
    const { status } = await idp.token({ ...grant, client_id: 'batch' }, credentials('batch', 'secret'));
    expect(status).toBe(200);
  });

  test.each<[string, string]>([
    ['the secret is wrong', basicOf('batch:Secret')],
    ['the secret is empty', basicOf('batch:')],
    ['the secret is the beginning of it', basicOf('batch:secre')],
    ['the secret is followed by something', basicOf('batch:secret ')],
    ['the secret is its digest', basicOf(`batch:${digest('secret')}`)],
    ['the client is unknown', basicOf('nobody:secret')],
    ['the client is empty', basicOf(':secret')],
    ['the client has a control character', basicOf('ba\ntch:secret')],
    ['there is no colon', basicOf('batch')],
    ['there is nothing', basicOf('')],
    ['it is not base64', 'Basic ***'],
    ['the scheme stands alone', 'Basic'],
    ['it is another scheme', 'Bearer abc'],
    ['it is another scheme with the same credentials', basicOf('batch:secret').replace('Basic', 'Digest')],
    ['it is sent twice', `${basicOf('batch:secret')}, ${basicOf('batch:secret')}`],
  ])('401 and a challenge where %s (RFC 6749 §5.2, HTTP-11)', async (_, authorization) => {
    const idp = await startWithSecret('batch', 'secret');
    const { status, headers, body } = await idp.token({ ...grant, client_id: undefined }, { authorization });
    expect([status, body.error]).toEqual([401, 'invalid_client']);
    expect(headers.get('www-authenticate')).toMatch(/^Basic realm="[^"]+"/);
    expect(headers.get('cache-control')).toBe('no-store');
  });

  test.each(['batch:%', 'batch:%zz', 'batch:%C3', '%00:secret'])(
    '401 where an escape in %s is broken (RFC 6749 §5.2)',
    async (pair) => {
      const idp = await startWithSecret('batch', 'secret');
      const { status, headers, body } = await idp.token(grant, { authorization: basicOf(pair) });
      expect([status, body.error]).toEqual([401, 'invalid_client']);
      expect(headers.get('www-authenticate')).toMatch(/^Basic realm="[^"]+"/);
    },
  );
});

describe('client_secret_post', () => {
  test('takes id and secret in the body (CLA-03)', async () => {
    const idp = await startWithSecret(odd_id, odd_secret, 'client_secret_post');
    const { status } = await idp.token({ ...grant, client_id: odd_id, client_secret: odd_secret });
    expect(status).toBe(200);
  });

  test.each<[string, Form, number, string]>([
    ['the secret is wrong', { client_secret: 'wrong' }, 401, 'invalid_client'],
    ['the secret is missing', { client_secret: undefined }, 401, 'invalid_client'],
    ['the secret is empty', { client_secret: '' }, 401, 'invalid_client'],
    ['the client is unknown', { client_id: 'nobody' }, 401, 'invalid_client'],
    ['the client is missing', { client_id: undefined }, 400, 'invalid_request'],
    ['the secret is sent twice', { client_secret: ['secret', 'secret'] }, 400, 'invalid_request'],
    ['the client is sent twice', { client_id: ['batch', 'batch'] }, 400, 'invalid_request'],
  ])('refuses where %s', async (_, change, status, error) => {
    const idp = await startWithSecret('batch', 'secret', 'client_secret_post');
    const answer = await idp.token({ ...grant, client_id: 'batch', client_secret: 'secret', ...change });
    expect([answer.status, answer.body.error]).toEqual([status, error]);
    expect(answer.headers.has('www-authenticate')).toBe(status === 401); // RFC 9110 §15.5.2
  });

  test('a script in a page is refused without a challenge: its browser would ask the person for a password', async () => {
    const idp = await startWithSecret('batch', 'secret', 'client_secret_post');
    const form = { ...grant, client_id: 'batch', client_secret: 'wrong' };
    const { status, headers } = await idp.token(form, { origin: 'https://spa.example' });
    expect([status, headers.get('www-authenticate')]).toEqual([401, null]);
  });

  test('a secret in the query is refused, since queries end up in logs (CLA-03)', async () => {
    const idp = await startWithSecret('batch', 'secret', 'client_secret_post');
    const { status, body } = await post(`${idp.url}/token?client_id=batch&client_secret=secret`, grant);
    expect([status, body.error]).toEqual([400, 'invalid_request']);
  });
});

describe('the life of a secret', () => {
  test('one that was replaced stops working at once', async () => {
    const idp = await startIdp();
    const { client_secret } = await idp.addClient(confidential, 'batch');
    const renewed = await rotateClientSecret(idp.deps, 'batch', idp.now());
    const before = await idp.token(grant, credentials('batch', client_secret ?? ''));
    const after = await idp.token(grant, credentials('batch', renewed.client_secret ?? ''));
    expect([before.body.error, after.status]).toEqual(['invalid_client', 200]);
  });

  test('that of a disabled client does not work, until it is enabled again', async () => {
    const idp = await startWithSecret('batch', 'secret');
    await disableClient(idp.deps, 'batch', true, idp.now());
    const refused = await idp.token(grant, credentials('batch', 'secret'));
    expect([refused.status, refused.body.error]).toEqual([401, 'invalid_client']);
    await disableClient(idp.deps, 'batch', false, idp.now());
    expect((await idp.token(grant, credentials('batch', 'secret'))).status).toBe(200);
  });

  test('the database holds its digest, and the log nothing of it (CLA-03)', async () => {
    const idp = await startIdp();
    const { client_secret } = await idp.addClient(confidential, 'batch');
    await idp.token(grant, credentials('batch', client_secret ?? ''));
    await idp.token(grant, credentials('batch', `${client_secret}x`));
    expect(JSON.stringify(await clients.find(idp.db, 'batch'))).not.toContain(client_secret);
    expect(JSON.stringify(idp.logged)).not.toContain(client_secret);
  });
});

/** A client whose secret somebody brought along from elsewhere: ours would survive any encoding. */
async function startWithSecret(
  client_id: string,
  secret: string,
  token_endpoint_auth_method = 'client_secret_basic',
): Promise<TestIdp> {
  const idp = await startIdp();
  await idp.addClient({ ...confidential, token_endpoint_auth_method }, client_id);
  await setSecret(idp, client_id, secret);
  return idp;
}

async function setSecret(idp: TestIdp, client_id: string, secret: string): Promise<void> {
  const client = await clients.find(idp.db, client_id);
  if (client === undefined) throw new Error(`there is no client ${client_id}`);
  const changed = { ...client, client_secret_hash: digest(secret), updated_at: client.updated_at + 1 };
  await idp.db.transaction(async (trx) => {
    await clients.update(trx, changed, client.updated_at);
    await cacheVersions.bump(trx, 'clients');
  });
  idp.deps.caches.expire();
}

function credentials(client_id: string, client_secret: string) {
  return { authorization: basicOf(`${client_id}:${client_secret}`) };
}

function basicOf(pair: string): string {
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}

function escaped(text: string): string {
  return [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
}
