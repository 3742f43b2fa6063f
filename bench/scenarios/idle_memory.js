// @ts-check
/**
 * Memory of a server that was just started on an existing database: untouched, and after somebody signed in, which starts our
 * hashing process.
 * @import { Scenario, Server } from '../lib/types.js'
 */
import { setTimeout as wait } from 'node:timers/promises';
import { check } from '../lib/checks.js';
import { signInWorkers } from '../lib/flows.js';
import { memoryText } from '../lib/memory.js';
import { memory } from '../lib/proc.js';

/** @type {Scenario} */
export const idleMemory = {
  name: 'idle_memory',
  servers: 'stopped',
  async run({ ours, peer, plan, progress }) {
    progress('idle memory');
    const mine = await measure(ours, plan.idle_seconds);
    const other = peer && (await measure(peer, plan.idle_seconds));
    return {
      values: [
        {
          figure: 'idle memory after start: RSS (PSS), MiB',
          ours: mine.started.text,
          peer: other?.started.text ?? '',
        },
        {
          figure: 'idle memory after one sign-in: RSS (PSS), MiB',
          ours: mine.used.text,
          peer: other?.used.text ?? '',
        },
      ],
      checks: [
        check('idle memory after start, RSS', mine.started.rss, { most: 120, unit: ' MiB', digits: 0 }),
        check('idle memory after one sign-in, PSS of all processes', mine.used.pss, {
          most: 120,
          unit: ' MiB',
          digits: 0,
        }),
      ],
    };
  },
};

/** @param {Server} server @param {number} seconds */
async function measure(server, seconds) {
  const read = async () => {
    await wait(seconds * 1000);
    return { ...memory(server.pid()), text: memoryText(server) };
  };
  await server.start();
  const started = await read();
  const { work, close } = signInWorkers(server, 1);
  await work[0]?.();
  close();
  const used = await read();
  await server.stop();
  return { started, used };
}
