// @ts-check
/**
 * Signing in with a password, from the authorization request to the code, beside argon2id with nothing around it.
 * @import { Scenario } from '../lib/types.js'
 */
import { alternate } from '../lib/alternate.js';
import { signInWorkers } from '../lib/flows.js';
import { median } from '../lib/stats.js';

/** @type {Scenario} */
export const passwordSignIn = {
  name: 'password_sign_in',
  servers: 'running',
  async run(bench) {
    const workers = async (/** @type {import('../lib/types.js').Server} */ server) =>
      signInWorkers(server, 8);
    const { row, slices, raw } = await alternate(bench, {
      figure: 'password sign-in',
      workers,
      raw: 'argon2id',
      least_seconds: 1,
    });
    const rate = median(raw.map((each) => each.rate));
    const cpu_ms = median(raw.map((each) => each.cpu_ms));
    const share = median(slices.map((slice, i) => slice.rate / (raw[i]?.rate ?? Number.NaN)));
    return {
      rates: [row],
      values: [
        {
          figure: 'raw argon2id checks (m=19456 t=2 p=1, all cores): the limit',
          ours: `${rate.toFixed(1)}/s, ${cpu_ms.toFixed(1)} ms CPU each`,
          peer: '',
        },
        {
          figure: 'password sign-ins as a share of that limit',
          ours: `${(100 * share).toFixed(0)} %`,
          peer: '',
        },
      ],
    };
  },
};
