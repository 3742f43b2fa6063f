import { expect, onTestFinished, test } from 'vitest';
import { signOutEverywhere } from '../../src/actions/sessions.js';
import { createVerifier } from '../../src/relying_party/index.js';
import { basic, startIdp } from '../support/idp.js';
import { startShop } from '../support/shop.js';

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

test.each(['by the push channel', 'by the status list, at its ttl'])(
  'a verifier refuses a token whose person has signed out everywhere, %s (TSL-04)',
  async (way) => {
    const { idp, shop, user, tokens } = await startShop();
    const { access_token } = await tokens();
    const credentials = { client_id: 'shop', client_secret: shop.client_secret ?? '' };
    const faults: Error[] = [];
    const verifier = createVerifier({
      ...{ issuer: idp.issuer, audience: idp.issuer, now: idp.now, report: (fault) => faults.push(fault) },
      ...(way.includes('push') && { credentials }),
    });
    onTestFinished(() => verifier.close());
    expect(await verifier.verify(access_token)).toMatchObject({ sub: user.id, client_id: 'shop' });

    await signOutEverywhere(idp.deps, user.id, idp.now());
    const verifyAgain = () => {
      if (!way.includes('push')) idp.advance(1); // with the push channel no time goes by
      return verifier.verify(access_token).catch((error) => error);
    };
    await expect.poll(verifyAgain, { timeout: 10_000 }).toMatchObject({ reason: 'revoked', status: 401 });
    expect(faults).toEqual([]);
  },
);
