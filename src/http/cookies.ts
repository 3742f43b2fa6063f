/**
 * Cookies, read from anything and written with every attribute spelled out. On https they are `__Host-`, Secure and readable in
 * cross-site requests; on a loopback http issuer Lax without a prefix. The Secure flag follows from the issuer, not from the
 * socket (decisions 16 and 18). RFC 6265.
 */
import type { Context } from 'koa';

export type CookieName = 'session' | 'browser' | 'device';

interface CookieSettings {
  readonly loopback: boolean;
}

function fullName({ loopback }: CookieSettings, name: CookieName): string {
  return loopback ? `sallyport_${name}` : `__Host-sallyport_${name}`;
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
  return values.length === 1 && only !== undefined && /^[A-Za-z0-9._-]{1,2048}$/.test(only)
    ? only
    : undefined;
}

/** Sets a cookie for all paths of this host; with `max_age` seconds it outlives the browser, 0 removes it. */
export function setCookie(
  ctx: Context,
  settings: CookieSettings,
  name: CookieName,
  value: string,
  max_age?: number,
): void {
  const attributes = [
    `${fullName(settings, name)}=${value}`,
    'Path=/',
    ...(max_age === undefined ? [] : [`Max-Age=${max_age}`]),
    'HttpOnly',
    ...(settings.loopback ? ['SameSite=Lax'] : ['Secure', 'SameSite=None']),
  ];
  ctx.append('Set-Cookie', attributes.join('; '));
}
