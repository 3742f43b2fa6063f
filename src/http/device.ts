/**
 * The device cookie: a browser that signed in to an account before carries its own mark and a MAC for each such account. It has a
 * counter of attempts of its own, so that strangers who guess cannot lock its owner out. Decisions 13; hardening row 15.
 */
import type { Context } from 'koa';
import type { Config } from '../config.js';
import type { KeyRing } from '../keys/keys.js';
import { newId } from '../secrets.js';
import { readCookie, setCookie } from './cookies.js';

const most_accounts = 8;
const lives_seconds = 400 * 86_400;

interface Device {
  readonly id: string;
  readonly marks: readonly string[];
}

function readDevice(ctx: Context, config: Config): Device | undefined {
  const [id, ...marks] = readCookie(ctx, config, 'device')?.split('.') ?? [];
  return id === undefined || marks.length > most_accounts ? undefined : { id, marks };
}

/** The mark of this browser, if it signed in with this login (actions/sign_in.ts) before; else null. */
export function knownDevice(ctx: Context, config: Config, ring: KeyRing, login: string): string | null {
  const device = readDevice(ctx, config);
  const known = device?.marks.some((candidate) => ring.isMac('device', `${device.id} ${login}`, candidate));
  return known === true && device !== undefined ? device.id : null;
}

/** Remembers that somebody signed in here with this login. */
export function rememberDevice(ctx: Context, config: Config, ring: KeyRing, login: string): void {
  if (knownDevice(ctx, config, ring, login) !== null) return;
  const device = readDevice(ctx, config) ?? { id: newId(), marks: [] };
  const marks = [...device.marks.slice(1 - most_accounts), ring.mac('device', `${device.id} ${login}`)];
  setCookie(ctx, config, 'device', [device.id, ...marks].join('.'), lives_seconds);
}
