// @ts-check
/**
 * The limit: RS256 signatures a second with nothing around them, on all cores.
 * @import { Scenario } from '../lib/types.js'
 */
import { median } from '../lib/stats.js';

/** @type {Scenario} */
export const rawSignatures = {
  name: 'raw_signatures',
  servers: 'running',
  async run({ raw, plan, progress }) {
    const results = [];
    for (let round = 1; round <= plan.slices; round += 1) {
      const result = await raw.run('sign', plan.seconds / 2);
      results.push(result);
      progress(`raw signatures ${round}/${plan.slices}: ${result.rate.toFixed(0)}/s`);
    }
    const rate = median(results.map((result) => result.rate));
    const cpu_ms = median(results.map((result) => result.cpu_ms));
    const ours = `${rate.toFixed(0)}/s, ${cpu_ms.toFixed(2)} ms CPU each`;
    return {
      values: [
        {
          figure: 'raw RS256 signatures (RSA-2048, node:crypto, 16 at a time, all cores): the limit',
          ours,
          peer: '',
        },
      ],
    };
  },
};
