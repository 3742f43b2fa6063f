// @ts-check
/**
 * Both servers in alternation, in short slices: A B A B … The machine's speed wanders, so each slice of ours is compared with the
 * peer's slice next to it, and what is reported is the median.
 * @import { Bench, Rate, RateRow, Server, Slice, Workers } from './types.js'
 * @import { RawKind, RawResult } from './raw.js'
 */
import { closedLoop } from './load.js';
import { median } from './stats.js';

/** More errors than this, and a figure says nothing. */
const most_errors = 0.001;

/**
 * @typedef {object} Alternation
 * @property {string} figure
 * @property {(server: Server) => Promise<Workers>} workers
 * @property {RawKind} [raw] what is measured bare in the same alternation
 * @property {number} [least_seconds] of a slice, where units are long
 *
 * @typedef {object} Alternated
 * @property {RateRow} row
 * @property {readonly Slice[]} slices ours
 * @property {readonly RawResult[]} raw one for each slice
 */

/**
 * @param {Bench} bench
 * @param {Alternation} alternation
 * @returns {Promise<Alternated>}
 */
export async function alternate(
  { ours, peer, raw, plan, progress },
  { figure, workers, raw: raw_kind, least_seconds = 0 },
) {
  const seconds = Math.max(plan.seconds, least_seconds);
  const lanes = [];
  for (const server of peer === null ? [ours] : [ours, peer]) {
    progress(`${figure}: ${server.name} warms up`);
    const { work, close } = await workers(server);
    const pid = server.pid();
    await closedLoop(work, { seconds: plan.warm_up, pid });
    lanes.push({
      name: server.name,
      slices: /** @type {Slice[]} */ ([]),
      run: (/** @type {number} */ seconds) => closedLoop(work, { seconds, pid }),
      close,
    });
  }

  /** @type {RawResult[]} */
  const bare = [];
  for (let round = 1; round <= plan.slices; round += 1) {
    for (const { name, slices, run } of lanes) {
      const slice = await run(seconds);
      slices.push(slice);
      progress(
        `${figure} ${round}/${plan.slices}: ${name} ${slice.rate.toFixed(0)}/s${slice.errors > 0 ? `, ${slice.errors} ERRORS` : ''}`,
      );
    }
    if (raw_kind !== undefined) bare.push(await raw.run(raw_kind, seconds / 2));
  }
  for (const { close } of lanes) close();

  const [mine = { slices: [] }, other] = lanes;
  return { row: rateRow(figure, mine.slices, other?.slices ?? null), slices: mine.slices, raw: bare };
}

/**
 * @param {string} figure
 * @param {readonly Slice[]} ours
 * @param {readonly Slice[] | null} peer
 * @returns {RateRow}
 */
function rateRow(figure, ours, peer) {
  const row = { figure, ours: summary(ours), peer: peer && summary(peer) };
  if (peer === null) return { ...row, ratio: null };
  const ratio = (/** @type {'rate' | 'cpu_ms'} */ of) =>
    median(ours.map((slice, i) => slice[of] / (peer[i]?.[of] ?? Number.NaN)));
  return { ...row, ratio: { rate: ratio('rate'), cpu: ratio('cpu_ms') } };
}

/**
 * @param {readonly Slice[]} slices
 * @returns {Rate}
 */
function summary(slices) {
  const of = (/** @type {'rate' | 'p50' | 'p99' | 'cpu_ms'} */ name) =>
    median(slices.map((slice) => slice[name]));
  const total = (/** @type {'units' | 'errors'} */ name) =>
    slices.reduce((sum, slice) => sum + slice[name], 0);
  const [units, errors] = [total('units'), total('errors')];
  const error = slices.find((slice) => slice.error !== null)?.error ?? null;
  const valid = units > 0 && errors <= most_errors * (units + errors);
  return {
    ...{ rate: of('rate'), p50: of('p50'), p99: of('p99'), cpu_ms: of('cpu_ms') },
    units,
    errors,
    error,
    valid,
  };
}
