import { expect, test } from 'vitest';
import { createVerifier } from '../../src/relying_party/index.js';
import { basic, startIdp } from '../support/idp.js';

test('a verifier takes the tokens of a real server, and goes on with them while that restarts', async () => {
  const idp = await startIdp();
  const audience = 'https://api.example.com';
  await idp.addResource(audience, 'jobs:run');
  const metadata = { grant_types: ['client_credentials'], redirect_uris: [], scope: 'jobs:run' };
  const { client_secret } = await idp.addClient(metadata, 'nightly');
  const ask = async (resource?: string) => {
    const form = { grant_type: 'client_credentials', resource };
    return (await idp.token(form, basic('nightly', client_secret))).body.access_token;
  };
  const verifier = createVerifier({ issuer: idp.issuer, audience, now: idp.now });

  const token = await ask(audience);
  const verified = await verifier.verify(token, { scope: 'jobs:run' });
  expect(verified).toMatchObject({ sub: 'nightly', client_id: 'nightly', scope: ['jobs:run'] });
  await idp.restart();
  expect(await verifier.verify(token)).toBe(verified);
  expect(await verifier.verify(await ask(audience))).toMatchObject({ sub: 'nightly' });
  idp.advance(605);
  await expect(verifier.verify(token)).rejects.toMatchObject({ reason: 'expired' });
  verifier.close();
});
