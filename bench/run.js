// @ts-check
/**
 * npm run bench: measures this server against the limits of the machine and, in alternation, against oidc-provider. Prints tables
 * and writes bench/results.md.
 *
 *   --quick              a look, within a minute
 *   --only name[,name]   these figures alone
 *   --no-peer            without oidc-provider
 *   --seconds N          length of a slice
 *   --profile folder     writes CPU profiles of our server there (one per start; use with --only and --no-peer)
 *
 * @import { Bench, Findings, Plan, Scenario } from './lib/types.js'
 */
import { rmSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { watchNoise } from './lib/noise.js';
import { installPeers } from './lib/peers.js';
import { createProgress } from './lib/progress.js';
import { startRaw } from './lib/raw.js';
import { asMarkdown, asText, noiseText } from './lib/report.js';
import { createPeer, createSallyport } from './lib/servers.js';
import { clientCredentials } from './scenarios/client_credentials.js';
import { discovery } from './scenarios/discovery.js';
import { growth } from './scenarios/growth.js';
import { idleMemory } from './scenarios/idle_memory.js';
import { jwks } from './scenarios/jwks.js';
import { memoryAfterLoad } from './scenarios/memory_after_load.js';
import { passwordSignIn } from './scenarios/password_sign_in.js';
import { rawSignatures } from './scenarios/raw_signatures.js';
import { refresh } from './scenarios/refresh.js';
import { revocation } from './scenarios/revocation.js';
import { silentSignOn } from './scenarios/silent_sign_on.js';
import { startUp } from './scenarios/start_up.js';
import { storm } from './scenarios/storm.js';
import { userinfo } from './scenarios/userinfo.js';
import { verify } from './scenarios/verify.js';

/** In this order; those that want the servers stopped come last. @type {readonly Scenario[]} */
const scenarios = [
  ...[
    rawSignatures,
    clientCredentials,
    silentSignOn,
    refresh,
    userinfo,
    discovery,
    jwks,
    passwordSignIn,
    verify,
    revocation,
    storm,
    memoryAfterLoad,
  ],
  ...[startUp, idleMemory, growth],
];

/** @type {Plan} */
const whole_run = {
  ...{ slices: 5, seconds: 2, warm_up: 1.5, storm_rounds: 3, storm_rest: 5, storm_seconds: 8 },
  ...{ starts: 5, idle_seconds: 2, flows: 1000, refreshes: 100_000 },
};

/** @type {Plan} */
const quick_run = {
  ...{ slices: 2, seconds: 0.5, warm_up: 0.3, storm_rounds: 1, storm_rest: 1.5, storm_seconds: 2.5 },
  ...{ starts: 2, idle_seconds: 0.5, flows: 100, refreshes: 0 },
};

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    'no-peer': { type: 'boolean', default: false },
    seconds: { type: 'string' },
    profile: { type: 'string' },
  },
});

const progress = createProgress(process.stderr);
const started = performance.now();
const chosen = chooseScenarios(options.only);
const plan = planOf(options);
/** Why there is no peer. @type {string | null} */
let without_peer = options['no-peer'] ? '--no-peer' : null;
if (without_peer === null) {
  const failure = await installPeers(progress.show);
  if (failure !== null) goOnWithout(failure);
}

const dir = await mkdtemp(join(tmpdir(), 'sallyport-bench-'));
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
  process.once(signal, () => {
    rmSync(dir, { recursive: true, force: true });
    process.exit(130); // which ends the servers
  });
}
try {
  const bench = await openBench();
  const noise = watchNoise();
  const findings = await runAll(bench);
  const heard = noise();
  progress.clear();
  process.stdout.write(`\n${asText(findings)}\n${noiseText(heard)}\n`);
  if (options.only === undefined) {
    const run = {
      findings,
      ours: bench.ours,
      peer: bench.peer,
      without_peer,
      plan,
      mode: options.quick ? 'a quick run' : 'a whole run',
    };
    const file = new URL('./results.md', import.meta.url);
    await writeFile(
      file,
      asMarkdown({ ...run, at: new Date(), noise: heard, seconds: (performance.now() - started) / 1000 }),
    );
    process.stdout.write('\nWritten to bench/results.md.\n');
  }
} finally {
  await rm(dir, { recursive: true, force: true });
}

/** @param {string | undefined} only */
function chooseScenarios(only) {
  if (only === undefined) return scenarios;
  const names = only.split(',');
  const unknown = names.find((name) => !scenarios.some((scenario) => scenario.name === name));
  if (unknown === undefined) return scenarios.filter(({ name }) => names.includes(name));
  process.stderr.write(
    `There is no figure ${unknown}. There are: ${scenarios.map(({ name }) => name).join(', ')}\n`,
  );
  process.exit(2);
}

/** @param {{ readonly quick: boolean, readonly seconds?: string | undefined }} options */
function planOf({ quick, seconds }) {
  const base = quick ? quick_run : whole_run;
  if (seconds === undefined) return base;
  if (Number(seconds) > 0) return { ...base, seconds: Number(seconds) };
  process.stderr.write('--seconds wants a number above 0\n');
  process.exit(2);
}

/** Both servers are running when this returns. @returns {Promise<Bench>} */
async function openBench() {
  const profile =
    options.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${resolve(options.profile)}`];
  progress.show('databases with people and clients are made');
  const ours = await createSallyport(dir, profile);
  await ours.start();
  const peer = without_peer === null ? await startPeer() : null;
  const fresh = async () => ({
    ours: await createSallyport(dir, profile),
    peer: peer === null ? null : await createPeer(dir),
  });
  return { ours, peer, raw: startRaw(), plan, progress: progress.show, fresh };
}

/** The peer, running; null if it does not start, which is said. */
async function startPeer() {
  try {
    const peer = await createPeer(dir);
    await peer.start();
    return peer;
  } catch (error) {
    goOnWithout(`It does not start: ${error instanceof Error ? error.message : error}`);
    return null;
  }
}

/** @param {string} reason */
function goOnWithout(reason) {
  without_peer = reason;
  process.stderr.write(`\nGoing on without the peer. ${reason}\n`);
}

/**
 * @param {Bench} bench
 * @returns {Promise<readonly Findings[]>}
 */
async function runAll(bench) {
  const servers = bench.peer === null ? [bench.ours] : [bench.ours, bench.peer];
  /** @type {Findings[]} */
  const findings = [];
  try {
    for (const scenario of chosen.filter((each) => each.servers === 'running'))
      findings.push(await scenario.run(bench));
    for (const server of servers) await server.stop();
    for (const scenario of chosen.filter((each) => each.servers === 'stopped'))
      findings.push(await scenario.run(bench));
  } finally {
    bench.raw.close();
    for (const server of servers) await server.stop();
  }
  return findings;
}
