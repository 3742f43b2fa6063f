// @ts-check
/**
 * grant_type=client_credentials: one signature, nothing stored.
 * @import { Scenario } from '../lib/types.js'
 */
import { alternate } from '../lib/alternate.js';
import { check, rateCheck } from '../lib/checks.js';
import { clientCredentialsWorkers } from '../lib/flows.js';
import { median } from '../lib/stats.js';

/** @type {Scenario} */
export const clientCredentials = {
  name: 'client_credentials',
  servers: 'running',
  async run(bench) {
    const workers = (/** @type {import('../lib/types.js').Server} */ server) =>
      clientCredentialsWorkers(server, 32);
    const { row, slices, raw } = await alternate(bench, {
      figure: 'client_credentials',
      workers,
      raw: 'sign',
    });
    const share = median(slices.map(({ cpu_ms }, i) => (100 * (raw[i]?.cpu_ms ?? Number.NaN)) / cpu_ms));
    const { valid } = row.ours;
    return {
      rates: [row],
      checks: [
        rateCheck(row, 1.8),
        check("client_credentials: signing, as a share of the server's CPU", share, {
          least: 70,
          unit: ' %',
          digits: 0,
          valid,
        }),
      ],
    };
  },
};
