// @ts-check
/**
 * Starting on an existing database: from spawning the process to its first 200.
 * @import { Scenario, Server } from '../lib/types.js'
 */
import { check } from '../lib/checks.js';
import { median } from '../lib/stats.js';

/** @type {Scenario} */
export const startUp = {
  name: 'start_up',
  servers: 'stopped',
  async run({ ours, peer, plan, progress }) {
    const lanes = (peer === null ? [ours] : [ours, peer]).map((server) => ({
      server,
      times: /** @type {number[]} */ ([]),
    }));
    for (let round = 1; round <= plan.starts; round += 1) {
      for (const { server, times } of lanes) {
        const ms = await server.start();
        await server.stop();
        times.push(ms);
        progress(`start-up ${round}/${plan.starts}: ${server.name} ${ms.toFixed(0)} ms`);
      }
    }
    const [mine, other] = lanes.map(({ times }) => median(times) / 1000);
    const text = (/** @type {number | undefined} */ seconds) =>
      seconds === undefined ? '' : `${seconds.toFixed(2)} s`;
    return {
      values: [
        {
          figure: `start on an existing database to the first 200 (median of ${plan.starts})`,
          ours: text(mine),
          peer: text(other),
        },
      ],
      checks: [
        check('start on an existing database to the first answer', mine ?? Number.NaN, {
          most: 1,
          unit: ' s',
        }),
      ],
    };
  },
};
