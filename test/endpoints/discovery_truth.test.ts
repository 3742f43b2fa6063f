/**
 * Discovery tells the truth: with features on and off at random, each thing that is advertised is done for real, and each known thing
 * that is not advertised is refused with the error that its specification has for it.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Environment } from '../../src/config.js';
import { jweAlgs, jweEncs, jwsAlgs } from '../../src/oauth/algorithms.js';
import { responseTypeNames } from '../../src/oauth/response_types.js';
import { type Chosen, startAdvertised } from '../support/advertised.js';
import { registeredNames } from '../support/metadata_names.js';
import * as clients from '../support/probes/clients.js';
import * as requests from '../support/probes/requests.js';

interface Features extends Chosen {
  readonly settings: Environment;
}

const proxied = { TRUSTED_PROXIES: '127.0.0.1', CLIENT_CERT_HEADER: 'X-Client-Cert' };
/** Where it is reached: certificates are for https alone. */
const issuers: readonly Environment[] = [
  {},
  { ISSUER: 'https://id.example' },
  { ISSUER: 'https://id.example/a', ...proxied },
  { ISSUER: 'https://id.example', ...proxied, CLIENT_CA: 'ca.pem', MTLS_ORIGIN: 'https://mtls.example' },
];
const flag = fc.constantFrom('true', 'false');
const features: fc.Arbitrary<Features> = fc.record({
  settings: fc
    .tuple(
      fc.constantFrom(...issuers),
      fc.record({
        CLIENT_REGISTRATION: fc.constantFrom('closed', 'token', 'open'),
        RESPONSE_TYPES: fc
          .shuffledSubarray([...responseTypeNames])
          .map((types) => ['code', ...types].join(',')),
        REQUEST_URI: fc.constantFrom('off', 'registered'),
        REQUIRE_PUSHED_REQUESTS: flag,
        REQUIRE_SIGNED_REQUESTS: flag,
      }),
    )
    .map((parts) => Object.assign({}, ...parts)),
  // RSA keys take their time: seldom, but for RS256, which the server has anyway.
  alg: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom('RS256', 'ES256', 'ES384', 'ES512', 'EdDSA') },
    { weight: 1, arbitrary: fc.constantFrom(...jwsAlgs) },
  ),
  jwe: fc.record({ alg: fc.constantFrom(...jweAlgs), enc: fc.constantFrom(...jweEncs) }),
  subject_type: fc.constantFrom('public', 'pairwise'),
});
const nothing_on: Features = {
  settings: {},
  ...{ alg: 'RS256', jwe: { alg: 'RSA-OAEP-256', enc: 'A128GCM' }, subject_type: 'public' },
};
const everything_demanded: Features = {
  ...nothing_on,
  settings: {
    ...{ CLIENT_REGISTRATION: 'token', REQUEST_URI: 'registered' },
    ...{ REQUIRE_PUSHED_REQUESTS: 'true', REQUIRE_SIGNED_REQUESTS: 'true' },
  },
};
const everything_on: Features = {
  settings: {
    ...issuers.at(-1),
    ...{ CLIENT_REGISTRATION: 'open', REQUEST_URI: 'registered' },
    RESPONSE_TYPES: responseTypeNames.join(','),
  },
  ...{ alg: 'ES256', jwe: { alg: 'ECDH-ES', enc: 'A256GCM' }, subject_type: 'pairwise' },
};

test('whatever is advertised works, and what is not is refused with the right error (DSC-07, DSC-09, DSC-11, DSC-14, DSC-15, DSC-17, DSC-20)', async () => {
  const probes = [...Object.values(requests), ...Object.values(clients)];
  await fc.assert(
    fc.asyncProperty(features, async (chosen) => {
      const server = await startAdvertised(chosen.settings, chosen);
      for (const probe of probes) await probe(server, chosen);
      expect(server.idp.logged.filter(({ level }) => level === 'error')).toEqual([]);
    }),
    { numRuns: 8, endOnFailure: true, examples: [[nothing_on], [everything_on], [everything_demanded]] },
  );
}, 90_000);

test.each([
  ['least', nothing_on],
  ['most', everything_on],
])(
  'with the %s that can be on, every name is a registered one, and every address a URL (DSC-06)',
  async (_, chosen) => {
    const { document } = await startAdvertised(chosen.settings, chosen);
    expect(Object.keys(document).filter((name) => !registeredNames.has(name))).toEqual([]);
    const scheme = chosen.settings.ISSUER === undefined ? /^http:\/\/127\.0\.0\.1/ : /^https:/;
    for (const [name, url] of Object.entries(document))
      if (/_endpoint$|_uri$|_iframe$/.test(name))
        expect([name, url]).toEqual([name, expect.stringMatching(scheme)]);
  },
);
