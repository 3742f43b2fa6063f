/**
 * Cookies, read from anything and written with every attribute spelled out. On https they have a prefix and are Secure; on a loopback
 * http issuer Lax without a prefix. The Secure flag follows from the issuer, not from the socket (decisions 16, 18 and 29). RFC 6265.
 */
import type { Context } from 'koa';

interface Kind {
  /** `__Host-` demands Path=/, so a cookie of one path has the lesser prefix. */
  readonly prefix: '__Host-' | '__Secure-';
  /** Whether other sites' requests carry it: those of the pages come back from applications. */
  readonly same_site: 'None' | 'Lax';
  /** Under the issuer's own path; without one the cookie is for the whole host. */
  readonly path?: string;
  /** A script of ours reads it: the only kind that is not HttpOnly. */
  readonly readable?: true;
}

const ofPages: Kind = { prefix: '__Host-', same_site: 'None' };

const kinds = {
  session: ofPages,
  browser: ofPages,
  device: ofPages,
  way_back: { prefix: '__Host-', same_site: 'Lax' },
  language: { prefix: '__Host-', same_site: 'Lax' },
  remembered: { prefix: '__Host-', same_site: 'Lax' },
  sign_in: { prefix: '__Host-', same_site: 'Lax' },
  /** Who somebody is at another provider, until they proved who they are here (http/upstream.ts). */
  connection: { prefix: '__Host-', same_site: 'Lax' },
  browser_state: { ...ofPages, readable: true },
  access: { prefix: '__Host-', same_site: 'Lax' },
  refresh: { prefix: '__Secure-', same_site: 'Lax', path: '/users/refresh-token' },
} as const satisfies Record<string, Kind>;

export type CookieName = keyof typeof kinds;

/** What browsers take of a cookie's value: 4,096 bytes with its name (RFC 6265 §6.1). Over it they drop the cookie unsaid. */
export const longest_cookie = 4000;

export interface CookieSettings {
  readonly loopback: boolean;
  /** The path of the issuer. */
  readonly base: string;
}

function fullName({ loopback }: CookieSettings, name: CookieName): string {
  return loopback ? `sallyport_${name}` : `${kinds[name].prefix}sallyport_${name}`;
}

/** A cookie's value. Undefined where it is absent, sent twice, or nothing that we could have set: then it counts as absent. */
export function readCookie(ctx: Context, settings: CookieSettings, name: CookieName): string | undefined {
  const wanted = fullName(settings, name);
  const values = ctx
    .get('cookie')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${wanted}=`))
    .map((pair) => pair.slice(wanted.length + 1));
  const [only] = values;
  const ours = only !== undefined && only.length <= longest_cookie && /^[A-Za-z0-9._-]+$/.test(only);
  return values.length === 1 && ours ? only : undefined;
}

/** Sets a cookie; with `max_age` seconds it outlives the browser, 0 removes it. */
export function setCookie(
  ctx: Context,
  settings: CookieSettings,
  name: CookieName,
  value: string,
  max_age?: number,
): void {
  const kind: Kind = kinds[name];
  const attributes = [
    `${fullName(settings, name)}=${value}`,
    `Path=${kind.path === undefined ? '/' : settings.base + kind.path}`,
    ...(max_age === undefined ? [] : [`Max-Age=${max_age}`]),
    ...(kind.readable ? [] : ['HttpOnly']),
    ...(settings.loopback ? ['SameSite=Lax'] : ['Secure', `SameSite=${kind.same_site}`]),
  ];
  ctx.append('Set-Cookie', attributes.join('; '));
}
