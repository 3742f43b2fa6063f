// @ts-check
/**
 * UserInfo: an access token comes in, claims go out, and a revocation would be seen at once.
 * @import { Scenario } from '../lib/types.js'
 */
import { alternate } from '../lib/alternate.js';
import { rateCheck } from '../lib/checks.js';
import { userinfoWorkers } from '../lib/flows.js';

/** @type {Scenario} */
export const userinfo = {
  name: 'userinfo',
  servers: 'running',
  async run(bench) {
    const { row } = await alternate(bench, {
      figure: 'userinfo',
      workers: (server) => userinfoWorkers(server, 32),
    });
    return {
      rates: [row],
      checks: [rateCheck(row, 3)],
      notes: [
        'userinfo: oidc-provider takes only opaque access tokens there, which it looks up; ours takes the signed JWT that it issued, checks the signature and asks the database whether it still counts.',
      ],
    };
  },
};
