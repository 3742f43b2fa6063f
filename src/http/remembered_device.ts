/**
 * The marks of a browser that is spared second factors: one for each person who wanted it, each signed for that person, so that nothing
 * is looked up for a mark that is none of ours. What counts is its row (store/remembered_devices.ts).
 */
import type { Context } from 'koa';
import type { Config } from '../config.js';
import type { KeyRing } from '../keys/keys.js';
import { digest } from '../secrets.js';
import { readCookie, setCookie } from './cookies.js';

const most_people = 4;
const secret_length = 43;

function marksOf(ctx: Context, config: Config): readonly string[] {
  const marks = readCookie(ctx, config, 'remembered')?.split('.') ?? [];
  return marks.filter((mark) => mark.length === 2 * secret_length).slice(-most_people);
}

const signed = (user_id: string, secret: string) => `remembered ${user_id} ${secret}`;

/** The digest of this browser's mark for a person; null if it has none. */
export function rememberedMark(ctx: Context, config: Config, ring: KeyRing, user_id: string): string | null {
  const own = marksOf(ctx, config).find((mark) =>
    ring.isMac('device', signed(user_id, mark.slice(0, secret_length)), mark.slice(secret_length)),
  );
  return own === undefined ? null : digest(own.slice(0, secret_length));
}

/** Gives the browser its mark for a person: `secret` as actions/sign_in.ts made it. */
export function giveMark(
  ctx: Context,
  config: Config,
  ring: KeyRing,
  { user_id, secret }: { readonly user_id: string; readonly secret: string },
): void {
  const mark = secret + ring.mac('device', signed(user_id, secret));
  const marks = [...marksOf(ctx, config), mark].slice(-most_people);
  setCookie(ctx, config, 'remembered', marks.join('.'), config.REMEMBER_DEVICE_SECONDS);
}
