// @ts-check
/**
 * The discovery document.
 * @import { Scenario } from '../lib/types.js'
 */
import { alternate } from '../lib/alternate.js';
import { documentWorkers } from '../lib/flows.js';

/** @type {Scenario} */
export const discovery = {
  name: 'discovery',
  servers: 'running',
  async run(bench) {
    const { row } = await alternate(bench, {
      figure: 'discovery',
      workers: async (server) =>
        documentWorkers(server, 32, { path: server.endpoints().discovery, holds: '"token_endpoint"' }),
    });
    return { rates: [row] };
  },
};
