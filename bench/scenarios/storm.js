// @ts-check
/**
 * The sign-in storm: client_credentials at a fixed 50 a second, whatever becomes of those before; first alone, then while 32
 * people sign in as fast as they can.
 * @import { Bench, Scenario, Server } from '../lib/types.js'
 */
import { setTimeout as wait } from 'node:timers/promises';
import { createAgent } from '../lib/browser.js';
import { check } from '../lib/checks.js';
import { signInWorkers, tokenProbe } from '../lib/flows.js';
import { closedLoop, openLoop } from '../lib/load.js';
import { createHistogram } from '../lib/stats.js';

const per_second = 50;
const people = 32;
const ramp_up_seconds = 1;

/** @param {Server} server */
function createStorm(server) {
  const rest = createHistogram();
  const storm = createHistogram();
  const total = { errors: 0, asked: 0, logins: 0, seconds: 0, error: /** @type {string | null} */ (null) };

  /** @param {{ readonly units: number, readonly errors: number, readonly error: string | null }} tally */
  function count({ units, errors, error }) {
    total.asked += units + errors;
    total.errors += errors;
    total.error ??= error;
  }

  /** @param {ReturnType<typeof createHistogram>} histogram @param {number} seconds */
  async function probe(histogram, seconds) {
    const agent = createAgent();
    const work = tokenProbe(server, agent);
    await Promise.all(Array.from({ length: 8 }, work)); // connections are opened before it counts
    count(await openLoop(work, { per_second, seconds, add: histogram.add }));
    agent.destroy();
  }

  return {
    ...{ server, rest, storm, total },
    /** @param {number} seconds */
    atRest: (seconds) => probe(rest, seconds),
    /** @param {number} seconds */
    async inStorm(seconds) {
      const { work, close } = signInWorkers(server, people);
      const logins = closedLoop(work, { seconds: seconds + 2 * ramp_up_seconds, pid: server.pid() });
      await wait(ramp_up_seconds * 1000);
      await probe(storm, seconds);
      const slice = await logins;
      close();
      count(slice);
      total.logins += slice.units;
      total.seconds += slice.units / slice.rate;
    },
  };
}

/** @typedef {ReturnType<typeof createStorm>} Storm */

/** @type {Scenario} */
export const storm = {
  name: 'storm',
  servers: 'running',
  async run(bench) {
    const { ours, peer } = bench;
    const storms = (peer === null ? [ours] : [ours, peer]).map(createStorm);
    await alternateStorms(bench, storms);
    const [mine, other] = storms;
    if (mine === undefined) return {};
    return { values: valuesOf(mine, other), checks: checksOf(mine, other), notes: storms.flatMap(notesOf) };
  },
};

/** @param {Bench} bench @param {readonly Storm[]} storms */
async function alternateStorms({ plan, progress }, storms) {
  for (let round = 1; round <= plan.storm_rounds; round += 1) {
    for (const { server, atRest } of storms) {
      progress(`sign-in storm ${round}/${plan.storm_rounds}: ${server.name} alone`);
      await atRest(plan.storm_rest);
    }
    for (const { server, inStorm } of storms) {
      progress(`sign-in storm ${round}/${plan.storm_rounds}: ${server.name} in the storm`);
      await inStorm(plan.storm_seconds);
    }
  }
}

/** @param {Storm} mine @param {Storm | undefined} other */
function valuesOf(mine, other) {
  const of = (/** @type {(each: Storm) => string} */ text) => ({
    ours: text(mine),
    peer: other === undefined ? '' : text(other),
  });
  const times = (/** @type {ReturnType<typeof createHistogram>} */ h) =>
    `${h.percentile(50).toFixed(1)} / ${h.percentile(99).toFixed(1)} ms`;
  return [
    { figure: `client_credentials at ${per_second}/s, alone: p50 / p99`, ...of((each) => times(each.rest)) },
    {
      figure: `client_credentials at ${per_second}/s, while ${people} people sign in: p50 / p99`,
      ...of((each) => times(each.storm)),
    },
    {
      figure: 'sign-ins a second meanwhile',
      ...of(({ total }) => `${(total.logins / total.seconds).toFixed(1)}/s`),
    },
  ];
}

/** @param {Storm} mine @param {Storm | undefined} other */
function checksOf(mine, other) {
  const ratio = (/** @type {number} */ p) =>
    other === undefined ? Number.NaN : mine.storm.percentile(p) / other.storm.percentile(p);
  const valid = isValid(mine);
  const both = valid && other !== undefined && isValid(other);
  return [
    check("storm: p50 as a share of the peer's", ratio(50), { most: 0.1, digits: 3, valid: both }),
    check("storm: p99 as a share of the peer's", ratio(99), { most: 0.2, digits: 3, valid: both }),
    check(
      'storm: p99 as a multiple of the p99 at rest',
      mine.storm.percentile(99) / mine.rest.percentile(99),
      { most: 3, valid },
    ),
  ];
}

/** @param {Storm} storm */
function isValid({ total }) {
  return total.errors <= total.asked / 1000;
}

/** @param {Storm} each @returns {string[]} */
function notesOf(each) {
  const { server, total } = each;
  if (total.errors === 0) return [];
  return [
    `storm, ${server.name}: ${total.errors} errors of ${total.asked}${isValid(each) ? '' : ', INVALID'}; the first: ${total.error}`,
  ];
}
