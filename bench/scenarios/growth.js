// @ts-check
/**
 * How a database grows: its file after a clean stop (so that the write-ahead log is in it), before and after so many flows, on a
 * fresh database in which nothing has expired yet. Last, how families grow that live for long: not at all, it is hoped.
 * @import { Scenario, Server, Workers } from '../lib/types.js'
 */
import { stat } from 'node:fs/promises';
import { check } from '../lib/checks.js';
import { openFamilies, refreshWorkers, silentSignOnWorkers } from '../lib/flows.js';

const workers_count = 4;
const families = 100;

/** @type {Scenario} */
export const growth = {
  name: 'growth',
  servers: 'stopped',
  async run({ fresh, plan, progress }) {
    const { ours, peer } = await fresh();
    const mine = await measure(ours, plan.flows, progress);
    const other = peer && (await measure(peer, plan.flows, progress));
    const over_time = plan.refreshes > 0 ? await overTime(ours, plan.refreshes, progress) : null;
    const figure = `database growth after ${plan.refreshes.toLocaleString('en')} refreshes of ${families} families`;
    return {
      ...(over_time !== null && {
        checks: [check(figure, over_time, { most: 0, unit: ' KiB', digits: 0 })],
      }),
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
 * KiB by which the file grows while families that are there already are refreshed again and again. Ours alone: it takes minutes.
 * @param {Server} server
 * @param {number} refreshes
 * @param {(text: string) => void} progress
 */
async function overTime(server, refreshes, progress) {
  const rounds = refreshes / families;
  await server.start();
  const workersOf = await openFamilies(server, families);
  // Once each before it counts: from then on a family has a predecessor of its newest token, as it will have for ever.
  await inTurn(workersOf(), 1);
  await server.stop();
  const before = await sizeOf(server);
  await server.start();
  await inTurn(workersOf(), rounds, (round) => {
    if (round % 50 === 0) progress(`database growth: ${(round * families).toLocaleString('en')} refreshes`);
  });
  await server.stop();
  return ((await sizeOf(server)) - before) / 1024;
}

/**
 * Every worker once, and that as many times as there are rounds.
 * @param {Workers} workers
 * @param {number} rounds
 * @param {(round: number) => void} [done]
 */
async function inTurn({ work, close }, rounds, done = () => undefined) {
  for (let round = 1; round <= rounds; round += 1) {
    await Promise.all(work.map((one) => one()));
    done(round);
  }
  close();
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
