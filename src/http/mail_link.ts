/**
 * Pages that a link in a mail leads to. The request for which the link was asked goes with it, so that whoever opens it in the same browser
 * goes on to the application; the page of another browser cannot, since the application waits in the first one.
 */
import type { Context } from 'koa';
import type { Config } from '../config.js';
import type { KeyRing } from '../keys/keys.js';
import { UserError } from '../oauth/errors.js';
import type { Params } from '../oauth/params.js';
import { browserOf } from './browser.js';
import type { Interaction } from './interaction.js';
import { isOfBrowser } from './pending.js';

/** A larger request stays behind: some mail programs break longer links. */
const longest_carried = 1500;

/** The request as a query for the link; '' where there is none. */
export function carriedBy(interaction: Interaction | null): string {
  if (interaction === null || interaction.sealed.length > longest_carried) return '';
  return `&request=${interaction.sealed}`;
}

/** The request that a link carried, where this is the browser that it came from; else null. */
export function broughtBack(
  ctx: Context,
  config: Pick<Config, 'base' | 'loopback'>,
  ring: KeyRing,
  params: Params,
): string | null {
  const request = params.get('request');
  return request !== undefined && isOfBrowser(ring, request, browserOf(ctx, config)) ? request : null;
}

/** What a link is good for, as an action finds it; null where it is not good any more: then its page says so. */
export async function ifGood<T>(found: Promise<T>): Promise<T | null> {
  try {
    return await found;
  } catch (error) {
    if (error instanceof UserError) return null;
    throw error;
  }
}

/** The password that is chosen behind a link. Throws UserError where there is none. */
export function chosenPassword(params: Params): string {
  const password = params.get('password');
  if (password === undefined) throw new UserError('invalid_input', 'reset.password_missing', 'password');
  return password;
}

/**
 * For pages whose address holds a token. Nobody else is told the address, and our own log and pages no more than the origin; `no-referrer`
 * would make their forms come from `Origin: null` (decisions 17).
 */
export function secretAddress(ctx: Context): void {
  ctx.set('Referrer-Policy', 'strict-origin');
}
