// @ts-check
/**
 * Silent sign-on: session cookie → authorization endpoint → code → token endpoint → access token, ID token, refresh token.
 * @import { Scenario } from '../lib/types.js'
 */
import { alternate } from '../lib/alternate.js';
import { rateCheck } from '../lib/checks.js';
import { silentSignOnWorkers } from '../lib/flows.js';

/** @type {Scenario} */
export const silentSignOn = {
  name: 'silent_sign_on',
  servers: 'running',
  async run(bench) {
    const { row } = await alternate(bench, {
      figure: 'silent sign-on',
      workers: (server) => silentSignOnWorkers(server, 16),
    });
    return { rates: [row], checks: [rateCheck(row, 3)] };
  },
};
