// @ts-check
/** How much of the machine others used while something was measured: figures from a busy machine mean little. */
import { availableParallelism } from 'node:os';
import { cpuMs, machineCpuMs } from './proc.js';

/**
 * @typedef {object} Noise
 * @property {number} others share of the machine that went to programs of others, in percent
 * @property {number} stolen share that the host gave to other machines, in percent
 */

/**
 * Starts watching.
 * @returns {() => Noise} what there was since
 */
export function watchNoise() {
  const started = performance.now();
  const [machine, own] = [machineCpuMs(), cpuMs(process.pid)];
  return () => {
    const there_was = (performance.now() - started) * availableParallelism();
    const { busy, stolen } = machineCpuMs();
    const others = busy - machine.busy - (cpuMs(process.pid) - own);
    return {
      others: Math.max(0, (100 * others) / there_was),
      stolen: (100 * (stolen - machine.stolen)) / there_was,
    };
  };
}
