// @ts-check
/**
 * Verifying access tokens in an application: sallyport/relying-party beside a bare crypto.verify and what others use, all on one
 * thread of this process, in alternation. The revocation check is in ours; none of the others has one.
 * @import { Scenario, Server } from '../lib/types.js'
 */
import { createPublicKey, verify as verifySignature } from 'node:crypto';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { createVerifier } from 'sallyport/relying-party';
import { check } from '../lib/checks.js';
import { accessTokens } from '../lib/flows.js';
import { median } from '../lib/stats.js';

const peers = createRequire(fileURLToPath(new URL('../peers/package.json', import.meta.url)));

/**
 * @typedef {object} Lane
 * @property {string} name
 * @property {boolean} ours
 * @property {() => Promise<void>} [prepare] before each slice, not timed
 * @property {() => Promise<number>} run how many it verified
 */

/** Tokens that were never seen before, for one slice. */
const tokens_count = 2000;
const cached_count = 200_000;

/** @type {Scenario} */
export const verify = {
  name: 'verify',
  servers: 'running',
  async run({ ours, peer, plan, progress }) {
    progress('verify: tokens are issued');
    const tokens = await accessTokens(ours, tokens_count);
    const lanes = await contestants(ours, tokens, peer !== null);
    /** @type {Map<string, number[]>} */
    const rates = new Map(lanes.map(({ name }) => [name, []]));
    for (let round = 0; round <= plan.slices; round += 1) {
      for (const { name, prepare, run } of lanes) {
        await prepare?.();
        const started = performance.now();
        const count = await run();
        const rate = count / ((performance.now() - started) / 1000);
        if (round > 0) rates.get(name)?.push(rate); // the first round warms up
      }
      progress(`verify ${round}/${plan.slices}`);
    }
    const rate = (/** @type {string} */ name) => median(rates.get(name) ?? []);
    const share = median(
      (rates.get('first sight') ?? []).map(
        (one, i) => one / (rates.get('bare crypto.verify')?.[i] ?? Number.NaN),
      ),
    );
    return {
      values: lanes.map(({ name, ours: own }) => ({
        figure: `verify on one thread: ${name}`,
        ours: own ? `${Math.round(rate(name)).toLocaleString('en')}/s` : '',
        peer: own ? '' : `${Math.round(rate(name)).toLocaleString('en')}/s`,
      })),
      checks: [
        check('verify, first sight: rate as a share of a bare crypto.verify', share, {
          least: 0.9,
          digits: 2,
        }),
        check(
          'verify, cached: tokens a second, a fresh string each time',
          rate('cached, a fresh string each time'),
          {
            least: 300_000,
            digits: 0,
            unit: '/s',
          },
        ),
      ],
    };
  },
};

/**
 * @param {Server} server
 * @param {readonly string[]} tokens
 * @param {boolean} with_peers
 * @returns {Promise<Lane[]>}
 */
async function contestants(server, [first = '', ...tokens], with_peers) {
  const set = /** @type {{ keys: import('node:crypto').JsonWebKey[] }} */ (
    await (await fetch(server.issuer + server.endpoints().jwks)).json()
  );
  const [jwk = {}] = set.keys;
  const key = createPublicKey({ key: jwk, format: 'jwk' });
  const parsed = tokens.map((token) => {
    const end = token.lastIndexOf('.');
    return {
      signed: Buffer.from(token.slice(0, end)),
      signature: Buffer.from(token.slice(end + 1), 'base64url'),
    };
  });
  const options = { issuer: server.issuer, audience: server.resource };
  const kept = createVerifier(options);
  for (const token of tokens.slice(0, 100)) await kept.verify(token);
  const texts = tokens.slice(0, 100).map((token) => Buffer.from(token));
  const known = createRemoteJWKSet(new URL(server.issuer + server.endpoints().jwks));
  await jwtVerify(first, known, options);

  let fresh = kept;
  /** @type {Lane[]} */
  const lanes = [
    {
      name: 'bare crypto.verify',
      ours: false,
      async run() {
        for (const { signed, signature } of parsed) {
          if (!verifySignature('sha256', signed, key, signature)) throw new Error('a signature is wrong');
        }
        return parsed.length;
      },
    },
    {
      name: 'first sight',
      ours: true,
      // With the keys and the status list at hand, and none of the tokens.
      async prepare() {
        fresh = createVerifier(options);
        await fresh.verify(first);
      },
      async run() {
        for (const token of tokens) await fresh.verify(token);
        fresh.close();
        return tokens.length;
      },
    },
    {
      name: 'cached, a fresh string each time',
      ours: true,
      async run() {
        for (let i = 0; i < cached_count; i += 1)
          await kept.verify((texts[i % 100] ?? Buffer.of()).toString('latin1'));
        return cached_count;
      },
    },
    {
      name: 'jose.jwtVerify with a remote JWK Set',
      ours: false,
      async run() {
        for (const token of tokens) await jwtVerify(token, known, options);
        return tokens.length;
      },
    },
  ];
  return with_peers ? [...lanes, ...middlewares(server, tokens)] : lanes;
}

/**
 * What the field uses as middleware, called as its framework would.
 * @param {Server} server
 * @param {readonly string[]} tokens
 * @returns {Lane[]}
 */
function middlewares(server, tokens) {
  const { Strategy, ExtractJwt } = peers('passport-jwt');
  const { passportJwtSecret } = peers('jwks-rsa');
  const { auth } = peers('express-oauth2-jwt-bearer');
  const jwksUri = server.issuer + server.endpoints().jwks;
  const strategy = new Strategy(
    {
      jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
      secretOrKeyProvider: passportJwtSecret({ cache: true, rateLimit: true, jwksUri }),
      issuer: server.issuer,
      audience: server.resource,
      algorithms: ['RS256'],
    },
    (/** @type {object} */ payload, /** @type {(error: null, user: object) => void} */ done) =>
      done(null, payload),
  );
  const bearer = auth({
    issuer: server.issuer,
    jwksUri,
    audience: server.resource,
    tokenSigningAlg: 'RS256',
  });
  const request = (/** @type {string} */ token) => ({
    method: 'GET',
    url: '/',
    originalUrl: '/',
    protocol: 'https',
    headers: { host: 'api.example', authorization: `Bearer ${token}` },
    get: (/** @type {string} */ name) => (name.toLowerCase() === 'host' ? 'api.example' : undefined),
    query: {},
    is: () => false,
  });

  const byPassport = (/** @type {string} */ token) =>
    new Promise((resolve, reject) => {
      const one = Object.create(strategy);
      Object.assign(one, { success: resolve, fail: reject, error: reject });
      one.authenticate(request(token), {});
    });
  const byBearer = (/** @type {string} */ token) =>
    new Promise((resolve, reject) => {
      bearer(request(token), {}, (/** @type {unknown} */ error) =>
        error ? reject(error) : resolve(undefined),
      );
    });
  const lane = (/** @type {string} */ name, /** @type {(token: string) => Promise<unknown>} */ one) => ({
    name,
    ours: false,
    async run() {
      for (const token of tokens) await one(token);
      return tokens.length;
    },
  });
  return [lane('passport-jwt with jwks-rsa', byPassport), lane('express-oauth2-jwt-bearer', byBearer)];
}
