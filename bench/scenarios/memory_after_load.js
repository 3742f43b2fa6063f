// @ts-check
/**
 * Memory after everything that went before in this run.
 * @import { Scenario } from '../lib/types.js'
 */
import { memoryText } from '../lib/memory.js';

/** @type {Scenario} */
export const memoryAfterLoad = {
  name: 'memory_after_load',
  servers: 'running',
  async run({ ours, peer }) {
    return {
      values: [
        {
          figure: 'memory after load: RSS (PSS), MiB',
          ours: memoryText(ours),
          peer: peer === null ? '' : memoryText(peer),
        },
      ],
    };
  },
};
