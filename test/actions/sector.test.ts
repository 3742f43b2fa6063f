/** sector_identifier_uri at registration. OpenID Connect Registration §5; Core §8.1. */
import { describe, expect, test } from 'vitest';
import { updateClient } from '../../src/actions/clients.js';
import { startIdp } from '../support/idp.js';
import { replies } from '../support/outbound.js';

const sector_identifier_uri = 'https://group.example/uris.json';
const one = 'https://one.example/cb';
const two = 'https://two.example/cb';
const metadata = { subject_type: 'pairwise', sector_identifier_uri, redirect_uris: [one, two] };

async function start() {
  const fetched = replies();
  const idp = await startIdp({ substitutes: { outbound: fetched.outbound } });
  return { idp, fetched };
}

describe('sector_identifier_uri (REG-11)', () => {
  test('is fetched at registration, and must list every redirect URI', async () => {
    const { idp, fetched } = await start();
    fetched.set(sector_identifier_uri, [one, two, 'https://three.example/cb']);
    const { client } = await idp.addClient(metadata);
    expect([client.sector_identifier_uri, fetched.asked]).toEqual([
      sector_identifier_uri,
      [sector_identifier_uri],
    ]);
  });

  test.each<[string, unknown, string]>([
    ['lacks one', [one], `does not list the redirect URI ${two}`],
    ['spells one differently', [one, `${two}/`], `does not list the redirect URI ${two}`],
    ['is an empty list', [], 'does not list'],
    ['holds no texts', [{ uri: one }, null], 'does not list'],
    ['is an object', { redirect_uris: [one, two] }, 'is not a JSON list'],
    ['is a text', one, 'is not a JSON list'],
    ['is no JSON', Buffer.from('<html>'), 'is not JSON'],
    ['cannot be fetched', undefined, 'cannot be fetched'],
  ])('is refused where the document %s', async (_, document, reason) => {
    const { idp, fetched } = await start();
    if (document !== undefined) fetched.set(sector_identifier_uri, document);
    await expect(idp.addClient(metadata, 'group')).rejects.toMatchObject({
      code: 'invalid_request',
      description: expect.stringContaining(`sector_identifier_uri: ${reason}`),
    });
    expect(await idp.deps.caches.client('group')).toBeUndefined();
  });

  test('counts also where subjects are public', async () => {
    const { idp } = await start();
    await expect(idp.addClient({ ...metadata, subject_type: 'public' })).rejects.toThrow('cannot be fetched');
  });

  test('is asked again when it or the redirect URIs change, and for nothing else', async () => {
    const { idp, fetched } = await start();
    fetched.set(sector_identifier_uri, [one, two]);
    await idp.addClient(metadata, 'group');
    fetched.remove(sector_identifier_uri);
    await updateClient(idp.deps, 'group', { client_name: 'Group', redirect_uris: [two, one] }, idp.now());
    expect(fetched.asked).toHaveLength(1);
    const changed = { redirect_uris: [one, two, 'https://four.example/cb'] };
    await expect(updateClient(idp.deps, 'group', changed, idp.now())).rejects.toThrow('cannot be fetched');
    fetched.set(sector_identifier_uri, [one, two]);
    await expect(updateClient(idp.deps, 'group', changed, idp.now())).rejects.toThrow(
      'https://four.example/cb',
    );
  });
});
