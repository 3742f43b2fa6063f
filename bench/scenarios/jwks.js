// @ts-check
/**
 * The JWK Set.
 * @import { Scenario } from '../lib/types.js'
 */
import { alternate } from '../lib/alternate.js';
import { documentWorkers } from '../lib/flows.js';

/** @type {Scenario} */
export const jwks = {
  name: 'jwks',
  servers: 'running',
  async run(bench) {
    const { row } = await alternate(bench, {
      figure: 'JWK Set',
      workers: async (server) =>
        documentWorkers(server, 32, { path: server.endpoints().jwks, holds: '"kid"' }),
    });
    return { rates: [row] };
  },
};
