// @ts-check
/**
 * What was measured, as tables: text for a terminal, markdown for results.md.
 * @import { Noise } from './noise.js'
 * @import { Check, Findings, Plan, Rate, RateRow, Server } from './types.js'
 */
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';

/**
 * @typedef {object} Run
 * @property {readonly Findings[]} findings
 * @property {Server} ours
 * @property {Server | null} peer
 * @property {string | null} without_peer why there is none
 * @property {Plan} plan
 * @property {string} mode
 * @property {Date} at
 * @property {number} seconds how long it took
 * @property {Noise} noise
 *
 * @typedef {object} Table
 * @property {readonly string[]} head
 * @property {readonly (readonly string[])[]} rows
 */

/** @param {readonly Findings[]} findings */
function tablesOf(findings) {
  return {
    rates: rateTable(findings.flatMap(({ rates = [] }) => rates)),
    values: valueTable(findings),
    checks: checkTable(findings.flatMap(({ checks = [] }) => checks)),
    notes: [
      ...findings.flatMap(({ notes = [] }) => notes),
      ...findings.flatMap(({ rates = [] }) => rates).flatMap(errorNotes),
    ],
  };
}

/**
 * @param {readonly RateRow[]} rows
 * @returns {Table}
 */
function rateTable(rows) {
  const cells = (/** @type {Rate | null} */ rate) =>
    rate === null
      ? ['', '', '', '']
      : [
          rate.valid ? amount(rate.rate) : `INVALID ${amount(rate.rate)}`,
          rate.p50.toFixed(1),
          rate.p99.toFixed(1),
          rate.cpu_ms.toFixed(3),
        ];
  const head = [
    'figure',
    ...['ours', 'peer'].flatMap((who) => [`${who} /s`, 'p50 ms', 'p99 ms', 'CPU ms']),
    'rate ×',
    'CPU ×',
  ];
  return {
    head,
    rows: rows.map(({ figure, ours, peer, ratio }) => [
      ...[figure, ...cells(ours), ...cells(peer)],
      ...(ratio === null ? ['', ''] : [ratio.rate.toFixed(2), ratio.cpu.toFixed(2)]),
    ]),
  };
}

/** @param {number} rate */
function amount(rate) {
  return rate < 100 ? rate.toFixed(1) : Math.round(rate).toLocaleString('en');
}

/** @param {readonly Findings[]} findings @returns {Table} */
function valueTable(findings) {
  const rows = findings.flatMap(({ values = [] }) => values);
  return {
    head: ['figure', 'ours', 'peer'],
    rows: rows.map(({ figure, ours, peer }) => [figure, ours, peer]),
  };
}

/** @param {readonly Check[]} checks @returns {Table} */
function checkTable(checks) {
  const verdict = (/** @type {boolean | null} */ met) => (met === null ? '–' : met ? 'met' : 'NOT MET');
  return {
    head: ['target', 'to reach', 'measured', ''],
    rows: checks.map(({ what, target, measured, met }) => [what, target, measured, verdict(met)]),
  };
}

/** @param {RateRow} row @returns {string[]} */
function errorNotes({ figure, ours, peer }) {
  const note = (/** @type {string} */ who, /** @type {Rate | null} */ rate) =>
    rate === null || rate.errors === 0
      ? []
      : [
          `${figure}, ${who}: ${rate.errors} errors beside ${rate.units} units${rate.valid ? '' : ', INVALID'}; the first: ${rate.error}`,
        ];
  return [...note('ours', ours), ...note('peer', peer)];
}

/**
 * For a terminal.
 * @param {readonly Findings[]} findings
 */
export function asText(findings) {
  const { rates, values, checks, notes } = tablesOf(findings);
  const tables = [rates, values, checks].filter(({ rows }) => rows.length > 0).map(aligned);
  return `${[...tables, ...(notes.length > 0 ? [notes.map((note) => `· ${note}`).join('\n')] : [])].join('\n\n')}\n`;
}

/** @param {Table} table */
function aligned({ head, rows }) {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((cells) => cells[column]?.length ?? 0)));
  const line = (/** @type {readonly string[]} */ cells) =>
    cells
      .map((cell, column) =>
        /^[\d.,]/.test(cell) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd();
  return [line(head), widths.map((width) => '─'.repeat(width)).join('  '), ...rows.map(line)].join('\n');
}

/**
 * For results.md.
 * @param {Run} run
 */
export function asMarkdown(run) {
  const { rates, values, checks, notes } = tablesOf(run.findings);
  const sections = [
    `# Results of \`npm run bench\``,
    machine(run),
    `## Targets\n\nRatios to the peer, and figures by themselves.\n\n${markdownTable(checks)}`,
    `## Rates\n\n\`CPU ms\` is the CPU of the server's process tree for one unit, \`×\` is ours divided by the peer's: the median of the ratios of\nneighbouring slices.\n\n${markdownTable(rates)}`,
    `## Other figures\n\n${markdownTable(values)}`,
    ...(notes.length > 0 ? [`## Notes\n\n${notes.map((note) => `- ${note}`).join('\n')}`] : []),
    howMeasured(run),
  ];
  return `${sections.join('\n\n')}\n`;
}

/** @param {Noise} noise */
export function noiseText({ others, stolen }) {
  const verdict = others + stolen > 5 ? ': a busy machine, so trust ratios and CPU, not rates' : '';
  return `other programs took ${others.toFixed(0)} % of the machine meanwhile, other machines on its host ${stolen.toFixed(0)} %${verdict}`;
}

/** @param {Run} run */
function machine({ ours, peer, without_peer, mode, at, seconds, noise }) {
  const [first] = cpus();
  const gib = Math.round(totalmem() / 2 ** 30);
  return [
    `- ${at.toISOString().slice(0, 16).replace('T', ' ')} UTC, ${mode}, ${Math.round(seconds)} s`,
    `- ${first?.model.trim() ?? 'unknown CPU'}, ${availableParallelism()} cores, ${gib} GiB, ${type()} ${release()}; the load runs on the same cores`,
    `- ${noiseText(noise)}`,
    `- Node ${process.versions.node}, OpenSSL ${process.versions.openssl}`,
    `- ours: ${ours.name} ${ours.version}, SQLite; peer: ${peer === null ? `none (${without_peer})` : `${peer.name} ${peer.version}, SQLite`}`,
  ].join('\n');
}

/** @param {Table} table */
function markdownTable({ head, rows }) {
  if (rows.length === 0) return 'Not measured in this run.';
  const line = (/** @type {readonly string[]} */ cells) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** @param {Run} run */
function howMeasured({ plan }) {
  return `## How it was measured

- Both servers run at the same time, each in one process started by this run (ours with its hashing process), and are measured in
  alternation: ${plan.slices} slices of ${plan.seconds} s each per figure, after ${plan.warm_up} s of warming up. Rates, times and CPU are medians of the slices.
- Load: a fixed number of keep-alive connections (32; 16 for silent sign-on and refresh; 8 for sign-ins), the next request as soon as
  the last is answered. Every answer is checked for its status and its members; with more than 0.1 % errors a figure is invalid.
- Both do the same work: RS256 with one RSA-2048 key, \`client_secret_basic\`, PKCE S256, access tokens as \`at+jwt\` for a resource, ID
  tokens with the same claims, a rotated refresh token, argon2id m=19456 t=2 p=1, a first-party client without consent page, and a
  durable SQLite database (WAL, \`synchronous=FULL\`; the peer's adapter is \`bench/peers/adapter.js\`, on better-sqlite3).
- The storm's requests go out 50 a second whether those before were answered or not; their time counts from the moment they were
  due. Rounds: ${plan.storm_rounds}, of ${plan.storm_rest} s alone and ${plan.storm_seconds} s in the storm for each server, taken together.
- CPU is utime + stime of the server and all its descendants in /proc; the signing share is the CPU of a bare signature, measured in the
  same alternation, divided by the server's CPU for a \`client_credentials\` request.
- oidc-provider says that it wants Node 22 or later; every figure here passes its checks on the Node above.`;
}
