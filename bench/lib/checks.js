// @ts-check
/**
 * The targets of the project, judged.
 * @import { Check, RateRow } from './types.js'
 */

/**
 * @param {string} what
 * @param {number} value
 * @param {{ readonly least?: number, readonly most?: number, readonly unit?: string, readonly digits?: number, readonly valid?: boolean }} limits
 * @returns {Check}
 */
export function check(what, value, { least, most, unit = '', digits = 2, valid = true }) {
  const target = least === undefined ? `≤ ${most}${unit}` : `≥ ${least}${unit}`;
  if (!valid || Number.isNaN(value)) return { what, target, measured: 'not measured', met: null };
  const met = least === undefined ? value <= (most ?? Number.NaN) : value >= least;
  return { what, target, measured: `${value.toFixed(digits)}${unit}`, met };
}

/**
 * The rate as a multiple of the peer's.
 * @param {RateRow} row
 * @param {number} least
 */
export function rateCheck({ figure, ours, peer, ratio }, least) {
  const valid = ours.valid && peer?.valid === true;
  return check(`${figure}: rate as a multiple of the peer's`, ratio?.rate ?? Number.NaN, { least, valid });
}
