// @ts-check
/**
 * A server's memory as text.
 * @import { Server } from './types.js'
 */
import { memory } from './proc.js';

/** @param {Server} server */
export function memoryText(server) {
  const { rss, pss, processes } = memory(server.pid());
  return `${rss.toFixed(0)} (${pss.toFixed(0)})${processes > 1 ? ` in ${processes} processes` : ''}`;
}
