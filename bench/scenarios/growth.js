// @ts-check
/**
 * How a database grows: its file after a clean stop (so that the write-ahead log is in it), before and after so many flows, on a
 * fresh database in which nothing has expired yet.
 * @import { Scenario, Server, Workers } from '../lib/types.js'
 */
import { stat } from 'node:fs/promises';
import { refreshWorkers, silentSignOnWorkers } from '../lib/flows.js';

const workers_count = 4;

/** @type {Scenario} */
export const growth = {
  name: 'growth',
  servers: 'stopped',
  async run({ fresh, plan, progress }) {
    const { ours, peer } = await fresh();
    const mine = await measure(ours, plan.flows, progress);
    const other = peer && (await measure(peer, plan.flows, progress));
    return {
      values: [
        {
          figure: 'database growth per 1,000 silent sign-ons (code, tokens, a new refresh family each)',
          ours: mine.sign_on,
          peer: other?.sign_on ?? '',
        },
        { figure: 'database growth per 1,000 refreshes', ours: mine.refresh, peer: other?.refresh ?? '' },
      ],
    };
  },
};

/**
 * @param {Server} server
 * @param {number} flows
 * @param {(text: string) => void} progress
 */
async function measure(server, flows, progress) {
  progress(`database growth: ${server.name}`);
  // The pages that are there only once, and the sign-ins of a start, are paid by a first round.
  await runFlows(server, silentSignOnWorkers, workers_count);
  await runFlows(server, refreshWorkers, workers_count);
  const grow = async (/** @type {(server: Server, count: number) => Promise<Workers>} */ open) => {
    const before = await sizeOf(server);
    await runFlows(server, open, flows);
    return `${((((await sizeOf(server)) - before) / flows) * (1000 / 1024)).toFixed(0)} KiB`;
  };
  const sign_on = await grow(silentSignOnWorkers);
  progress(`database growth: ${server.name}, ${sign_on} per 1,000 silent sign-ons`);
  return { sign_on, refresh: await grow(refreshWorkers) };
}

/**
 * @param {Server} server
 * @param {(server: Server, count: number) => Promise<Workers>} open
 * @param {number} flows
 */
async function runFlows(server, open, flows) {
  await server.start();
  const { work, close } = await open(server, workers_count);
  await Promise.all(
    work.map(async (one) => {
      for (let i = 0; i < flows / workers_count; i += 1) await one();
    }),
  );
  close();
  await server.stop();
}

/** The file and, should one be left, its log. @param {Server} server */
async function sizeOf({ database }) {
  const sizes = await Promise.all(
    ['', '-wal'].map((suffix) =>
      stat(database + suffix).then(
        (file) => file.size,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
