// @ts-check
/** What Linux says about a process and all its descendants, in /proc. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

const ticks_per_second = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/**
 * @typedef {object} Stat
 * @property {number} pid
 * @property {number} parent
 * @property {number} ticks CPU of the process itself and of its children that have ended
 */

/**
 * A process and its descendants.
 * @param {number} root
 * @returns {readonly Stat[]}
 */
function processTree(root) {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap(readStat);
  const tree = all.filter(({ pid }) => pid === root);
  for (const member of tree) tree.push(...all.filter(({ parent }) => parent === member.pid)); // grows while it is walked
  return tree;
}

/**
 * @param {string} pid
 * @returns {Stat[]} none if the process has ended meanwhile
 */
function readStat(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // Behind the name, which is in parentheses and may hold anything: state ppid … utime stime cutime cstime (proc_pid_stat(5)).
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const ticks = fields.slice(11, 15).reduce((sum, each) => sum + each, 0);
    return [{ pid: Number(pid), parent: fields[1] ?? 0, ticks }];
  } catch {
    return []; // it has ended
  }
}

/**
 * CPU of a process tree so far, user and system, in milliseconds.
 * @param {number} pid
 */
export function cpuMs(pid) {
  return (processTree(pid).reduce((sum, { ticks }) => sum + ticks, 0) / ticks_per_second) * 1000;
}

/**
 * Memory of a process tree in MiB. Pages that are shared count once for every process in RSS, once altogether in PSS.
 * @param {number} pid
 */
export function memory(pid) {
  const tree = processTree(pid).map(({ pid: member }) => readRollup(member));
  const sum = (/** @type {'Rss' | 'Pss'} */ name) =>
    tree.reduce((total, each) => total + each[name], 0) / 1024;
  return { rss: sum('Rss'), pss: sum('Pss'), processes: tree.length };
}

/** @param {number} pid */
function readRollup(pid) {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
  const kib = (/** @type {string} */ name) =>
    Number(new RegExp(`^${name}: +(\\d+) kB`, 'm').exec(text)?.[1] ?? 0);
  return { Rss: kib('Rss'), Pss: kib('Pss') };
}

/** CPU of the whole machine so far, in milliseconds: `busy` for all that runs on it, `stolen` by other machines on its host. */
export function machineCpuMs() {
  const [, ...fields] = (readFileSync('/proc/stat', 'latin1').split('\n', 1)[0] ?? '').split(/ +/);
  const ms = (/** @type {number} */ field) => (Number(fields[field] ?? 0) / ticks_per_second) * 1000;
  // user nice system idle iowait irq softirq steal (proc_stat(5))
  return { busy: ms(0) + ms(1) + ms(2) + ms(5) + ms(6), stolen: ms(7) };
}
