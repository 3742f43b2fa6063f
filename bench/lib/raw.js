// @ts-check
/**
 * The limits of the machine: RS256 signatures and argon2id checks with nothing around them, on all cores, in a process of its own
 * that does nothing in between.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/**
 * @typedef {'sign' | 'argon2id'} RawKind
 *
 * @typedef {object} RawResult
 * @property {number} rate operations a second
 * @property {number} cpu_ms CPU of one
 *
 * @typedef {object} Raw
 * @property {(kind: RawKind, seconds: number) => Promise<RawResult>} run
 * @property {() => void} close
 */

/** @returns {Raw} */
export function startRaw() {
  const child = fork(fileURLToPath(new URL('./raw_process.js', import.meta.url)));
  return {
    async run(kind, seconds) {
      child.send({ kind, seconds });
      const [result] = await once(child, 'message');
      return result;
    },
    close: () => child.disconnect(),
  };
}
