// @ts-check
/**
 * How soon an application that only verifies signatures refuses a revoked token: from the answer of the revocation endpoint to the first
 * refusal in this process, by the push channel and by asking for the status list at its ttl.
 * @import { Bench, Scenario } from '../lib/types.js'
 */
import { setTimeout as wait } from 'node:timers/promises';
import { createVerifier } from 'sallyport/relying-party';
import { check } from '../lib/checks.js';
import { accessTokens, revoke } from '../lib/flows.js';
import { createHistogram } from '../lib/stats.js';

/** Longer than any of it may take. */
const patience_ms = 60_000;

/** @type {Scenario} */
export const revocation = {
  name: 'revocation',
  servers: 'running',
  async run(bench) {
    const pushed = await measure(bench, 'push', bench.plan.slices * 10);
    const polled = await measure(bench, 'polling', bench.plan.slices);
    const text = (/** @type {{ percentile: (p: number) => number }} */ times) =>
      `${times.percentile(50).toFixed(0)} / ${times.percentile(99).toFixed(0)} ms`;
    return {
      values: [
        {
          figure: 'from revoked to refused at an application, push channel: p50 / p99',
          ours: text(pushed),
          peer: '',
        },
        {
          figure: `the same by the status list, ttl ${bench.ours.status_list_ttl} s`,
          ours: text(polled),
          peer: '',
        },
      ],
      checks: [
        check('revocation known by push: p99', pushed.percentile(99), { most: 1000, unit: ' ms', digits: 0 }),
        check('revocation known by polling: p99', polled.percentile(99), {
          most: bench.ours.status_list_ttl * 1000 + 250, // and a quarter of a second for the list itself
          unit: ' ms',
          digits: 0,
        }),
      ],
    };
  },
};

/** @param {Bench} bench @param {'push' | 'polling'} way @param {number} count */
async function measure({ ours, progress }, way, count) {
  const times = createHistogram();
  const options = { issuer: ours.issuer, audience: ours.resource };
  const verifier = createVerifier(way === 'push' ? { ...options, credentials: ours.clients.app } : options);
  for (let i = 1; i <= count; i += 1) {
    const [token = ''] = await accessTokens(ours, 1);
    await verifier.verify(token);
    if (i === 1) await wait(1000); // the channel opens at the first token
    await wait(Math.random() * 300);
    await revoke(ours, token);
    const revoked = performance.now();
    while (await isAccepted(verifier, token)) {
      if (performance.now() - revoked > patience_ms) throw new Error('a revoked token is still accepted');
      await wait(1);
    }
    times.add(performance.now() - revoked);
    progress(`revocation by ${way} ${i}/${count}`);
  }
  verifier.close();
  return times;
}

/** @param {import('sallyport/relying-party').Verifier} verifier @param {string} token */
async function isAccepted(verifier, token) {
  try {
    await verifier.verify(token);
    return true;
  } catch (error) {
    if (error instanceof Error && 'reason' in error && error.reason === 'revoked') return false;
    throw error;
  }
}
