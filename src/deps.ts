/**
 * What the server works with, made once. Types are free to all; `openDeps` is for the files that start something, and for tests.
 */
import { type Logger, pino } from 'pino';
import { type ClientKeys, createClientKeys } from './client_auth/client_keys.js';
import { createRequestUris, type RequestUris } from './client_auth/request_uris.js';
import type { Config } from './config.js';
import { createPlaces, type Places } from './devices/places.js';
import { createKeys, type Keys } from './keys/keys.js';
import { MasterKeyError, type MasterKeys, masterKeysOf, readMasterKeys } from './keys/master_key.js';
import { createHashingGate, type HashingGate } from './limits/hashing_gate.js';
import { createOutbound, type Outbound } from './limits/outbound.js';
import { createPasswordJudge, type PasswordJudge } from './limits/password_judge.js';
import { createMailer, type Mailer } from './mail/smtp.js';
import { type Bell, createBell } from './store/bell.js';
import { type Caches, createCaches } from './store/caches.js';
import { type Db, openDb } from './store/db.js';
import { createStatusIndices, type StatusIndices } from './tokens/status_indices.js';
import { createStatusLists, type StatusLists } from './tokens/status_lists.js';
import { createUpstream, type Upstream } from './upstream/configurations.js';

/** Whole seconds since 1970. Read once for each request or job run. */
export type Clock = () => number;
export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;

export interface Deps {
  readonly config: Config;
  readonly clock: Clock;
  readonly db: Db;
  readonly caches: Caches;
  /** Rung after something was put into the outbox. */
  readonly bell: Bell;
  readonly keys: Keys;
  /** The master keys that are there now. Throws MasterKeyError where there are none. */
  readonly masterKeys: () => MasterKeys;
  readonly hashing: HashingGate;
  readonly judge: PasswordJudge;
  readonly outbound: Outbound;
  /** Sends mail. Null where there is no mail server: config.mail says what then. */
  readonly mailer: Mailer | null;
  readonly clientKeys: ClientKeys;
  readonly requestUris: RequestUris;
  readonly statusIndices: StatusIndices;
  readonly statusLists: StatusLists;
  readonly upstream: Upstream;
  /** Where network addresses are, if the operator provides a database. */
  readonly places: Places;
  readonly log: Log;
  /** Waits for what runs, then closes the database and ends the processes that hash and judge passwords. */
  close(): Promise<void>;
}

/** What a test, or the demo, puts in the place of the real thing. */
export interface Substitutes {
  readonly clock?: Clock;
  readonly outbound?: Outbound;
  readonly hashing?: HashingGate;
  readonly judge?: PasswordJudge;
  readonly log?: Log;
}

export const systemClock: Clock = () => Math.floor(Date.now() / 1000);

/** Opens the database, whose tables must be there, and all that stands on it. */
export async function openDeps(config: Config, substitutes: Substitutes = {}): Promise<Deps> {
  const clock = substitutes.clock ?? systemClock;
  const db = await openDb(config.DATABASE_URL);
  const caches = createCaches(db, clock);
  const masterKeys = () => findMasterKeys(config);
  const keys = createKeys({ db, caches, masterKeys, hint_seconds: config.SESSION_MAX_SECONDS });
  const hashing = substitutes.hashing ?? createHashingGate(config.hashing);
  const judge = substitutes.judge ?? createPasswordJudge();
  const log = substitutes.log ?? openLog(config);
  const { loopback, OUTBOUND_ALLOWED_HOSTS: allowed_hosts, outbound_ca: extra_ca } = config;
  const outbound = substitutes.outbound ?? createOutbound({ loopback, allowed_hosts, extra_ca, log });
  const statusLists = createStatusLists({ db, keys, config });
  return {
    ...{ config, clock, db, caches, keys, masterKeys, hashing, judge, outbound },
    bell: createBell(),
    mailer: createMailer(config),
    clientKeys: createClientKeys(outbound),
    requestUris: createRequestUris(outbound),
    upstream: createUpstream({ outbound, keys, skew: () => clock() - systemClock() }),
    statusIndices: createStatusIndices(db),
    statusLists,
    places: createPlaces({ path: config.GEOIP_DB, clock, log }),
    log,
    async close() {
      statusLists.close();
      if (substitutes.hashing === undefined) hashing.close();
      if (substitutes.judge === undefined) judge.close();
      await db.close();
    },
  };
}

function findMasterKeys(config: Pick<Config, 'MASTER_KEY' | 'KEYS_DIR'>): MasterKeys {
  const given = config.MASTER_KEY?.map((key) => Buffer.from(key, 'base64url'));
  const found = given === undefined ? readMasterKeys(config.KEYS_DIR) : masterKeysOf(given);
  if (found === undefined) throw new MasterKeyError(`There is no master key in ${config.KEYS_DIR}.`);
  return found;
}

/** Characters of lines that wait for a log which takes none; more are dropped. */
const longest_backlog = 8_388_608;

/** JSON lines on standard error. Where they cannot be written, a full disk say, the server goes on, and so it can end. */
function openLog({ LOG_LEVEL: level }: Config): Log {
  const destination = pino.destination({ dest: 2, sync: false, maxLength: longest_backlog });
  let broken = false;
  destination.on('error', () => {
    broken = true;
  });
  destination.on('write', () => {
    broken = false;
  });
  const flush = destination.flushSync.bind(destination);
  destination.flushSync = () => {
    if (!broken) flush(); // at the end of the process: it would try for ever
  };
  return pino({ level }, destination);
}
