// @ts-check
/**
 * grant_type=refresh_token with rotation: each worker follows a family of its own.
 * @import { Scenario } from '../lib/types.js'
 */
import { alternate } from '../lib/alternate.js';
import { rateCheck } from '../lib/checks.js';
import { refreshWorkers } from '../lib/flows.js';

/** @type {Scenario} */
export const refresh = {
  name: 'refresh',
  servers: 'running',
  async run(bench) {
    const { row } = await alternate(bench, {
      figure: 'refresh',
      workers: (server) => refreshWorkers(server, 16),
    });
    return { rates: [row], checks: [rateCheck(row, 1.8)] };
  },
};
