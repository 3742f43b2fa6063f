/** What the source never does (style.md §4.1; decisions 1, 18, 31, 32; hardening rows 17, 18, 25, 32). A refusal prints the place. */
import { describe, expect, test } from 'vitest';
import {
  broken,
  emptyCatch,
  noClock,
  noEval,
  noKoaShortcuts,
  noMadeUpPattern,
  noMember,
  noOtherWayOut,
  noPlainComparison,
  noRandomness,
  noSqlTemplates,
  type Rule,
  trxAlone,
} from './support/rules.js';
import { parseSource, type SourceFile, sourceFiles } from './support/source.js';

/** relying_party and demo are programs of their own: exempt from the rules on clock, randomness, environment and network. */
const exempt = /^src\/(relying_party\/|demo[/.])/;
const files = sourceFiles('src');
const server = files.filter(({ path }) => !exempt.test(path));

const without = (...paths: readonly string[]) => server.filter(({ path }) => !paths.includes(path));

const rules: readonly (readonly [what: string, rule: Rule, among: readonly SourceFile[]])[] = [
  [
    'the environment is read by main.ts alone, which gives it to readConfig',
    noMember(/^process\.env$/),
    without('src/main.ts', 'src/config.ts'),
  ],
  ['the clock is read in deps.ts alone; all else is given `now`', noClock, without('src/deps.ts')],
  ['random bytes are read in secrets.ts alone', noRandomness, without('src/secrets.ts')],
  [
    'nothing is fetched but through the outbound gate (hardening 18)',
    noOtherWayOut,
    without('src/limits/outbound.ts', 'src/limits/outbound_address.ts'),
  ],
  ['koa’s shortcuts that trust the sender or normalise are not used (decisions 18)', noKoaShortcuts, server],
  ['inside a transaction only `trx` is used and nothing slow is done (decisions 1)', trxAlone, server],
  [
    'secrets are not compared with === (hardening 32)',
    noPlainComparison,
    without('src/cli/password_input.ts'),
  ],
  ['no code is made of text', noEval, files],
  ['no pattern is made of text (hardening 3)', noMadeUpPattern, server],
  ['nothing is caught without a word why', emptyCatch, files],
  ['SQL is not put together of text (hardening 25)', noSqlTemplates, server],
];

describe('in the source', () => {
  test.each(rules)('%s', (_, rule, among) => {
    expect(among.length).toBeGreaterThan(0);
    expect(broken(rule, among)).toEqual([]);
  });
});

describe('the rules find', () => {
  test.each([
    ['the environment', noMember(/^process\.env$/), 'const { HOME } = process.env;'],
    ['a clock', noClock, 'const now = Date.now();'],
    ['a new Date', noClock, 'const now = new Date();'],
    ['random bytes', noRandomness, "import { randomBytes } from 'node:crypto';"],
    ['all of crypto', noRandomness, "import * as crypto from 'node:crypto';"],
    ['Math.random', noRandomness, 'const id = Math.random();'],
    ['fetch', noOtherWayOut, 'await fetch(client.logo_uri);'],
    ['fetch of the global object', noOtherWayOut, 'const { body } = await globalThis.fetch(uri);'],
    ['fetch under another name', noOtherWayOut, 'const get = fetch;'],
    ['a WebSocket', noOtherWayOut, 'new WebSocket(uri);'],
    ['a client of another package', noOtherWayOut, "import { request } from 'undici';"],
    ['a request over http', noOtherWayOut, "import { createServer, request } from 'node:http';"],
    ['a request over https, by its old name', noOtherWayOut, "import { get } from 'https';"],
    ['all of https', noOtherWayOut, "import * as https from 'node:https';"],
    ['a request that is loaded later', noOtherWayOut, "const http = await import('node:http');"],
    ['HTTP/2', noOtherWayOut, "import { connect } from 'node:http2';"],
    ['a socket', noOtherWayOut, "import { createConnection } from 'node:net';"],
    ['a TLS socket', noOtherWayOut, "import { connect } from 'node:tls';"],
    ['a name that is resolved', noOtherWayOut, "import { lookup } from 'node:dns/promises';"],
    ['a module that is asked for by name', noOtherWayOut, "process.getBuiltinModule('http').get(uri);"],
    ['keys that jose would fetch', noOtherWayOut, "import { createRemoteJWKSet } from 'jose';"],
    ['ctx.redirect', noKoaShortcuts, 'ctx.redirect(uri);'],
    ['ctx.request.ip', noKoaShortcuts, 'const address = ctx.request.ip;'],
    ['a cookie jar taken out of ctx', noKoaShortcuts, 'const { cookies } = ctx;'],
    ['allowedMethods', noKoaShortcuts, 'app.use(router.allowedMethods());'],
    ['db in a transaction', trxAlone, 'await db.transaction(async (trx) => { await users.find(db, id); });'],
    [
      'deps.db in a step of a transaction',
      trxAlone,
      'async function step(trx: Trx, deps: Deps) { await users.find(deps.db); }',
    ],
    ['a transaction in a transaction', trxAlone, 'db.transaction(() => deps.db.transaction(work));'],
    ['a hash in a transaction', trxAlone, 'async function step(trx: Trx) { await hashPassword(x); }'],
    ['a comparison of secrets', noPlainComparison, 'if (client.client_secret_hash === hash) grant();'],
    ['eval', noEval, 'eval(text);'],
    ['a made-up pattern', noMadeUpPattern, 'new RegExp(uri).test(x);'],
    ['an empty catch', emptyCatch, 'try { work(); } catch {}'],
    ['SQL put together', noSqlTemplates, "sql.raw('select ' + column);"],
  ])('%s', (_, rule, text) => {
    expect(broken(rule, [parseSource('src/made_up.ts', text)])).toHaveLength(1);
  });

  test.each([
    [
      'a server and its types',
      noOtherWayOut,
      "import { createServer, type Server } from 'node:http'; import type { Socket } from 'node:net';",
    ],
    [
      'a member of our own named fetch',
      noOtherWayOut,
      'await outbound.fetch({ url }); const o = { fetch() {} };',
    ],
    ['a time that is given', noClock, 'const at = new Date(now * 1000);'],
    [
      'a comparison with nothing',
      noPlainComparison,
      'if (client_secret === null || token === undefined) refuse();',
    ],
    [
      'db beside a transaction',
      trxAlone,
      'await users.find(db, id); await db.transaction((trx) => users.remove(trx, id));',
    ],
    ['SQL without values', noSqlTemplates, "sql.raw('case when count < ? then 1 end', [value.limit]);"],
    ['a catch with a reason', emptyCatch, 'try { work(); } catch {\n// it may be gone already\n}'],
  ])('nothing wrong with %s', (_, rule, text) => {
    expect(broken(rule, [parseSource('src/made_up.ts', text)])).toEqual([]);
  });
});
