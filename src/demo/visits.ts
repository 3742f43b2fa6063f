/**
 * What an app remembers of a browser, whether somebody is signed in there or not: in memory, found by a random cookie. The sessions of
 * those who are signed in are not here; the sign-in package keeps them.
 */
import { randomBytes } from 'node:crypto';
import type { Context } from 'koa';

export interface Visits<T> {
  find(ctx: Context): T | undefined;
  /** Begins a visit under a new cookie; the one before it, if any, ends. */
  start(ctx: Context, value: T): void;
}

const most = 1000;
const lifetime_ms = 8 * 3600 * 1000;

/**
 * `cookie` is its name, different for each app: cookies ignore ports, so two apps on one host would overwrite each other's.
 * `secure` is for https alone.
 */
export function createVisits<T>(options: { readonly cookie: string; readonly secure: boolean }): Visits<T> {
  const visits = new Map<string, { readonly value: T; readonly ends_at: number }>();
  const idOf = (ctx: Context) => ctx.cookies.get(options.cookie) ?? '';

  return {
    find(ctx) {
      const found = visits.get(idOf(ctx));
      return found !== undefined && found.ends_at > Date.now() ? found.value : undefined;
    },
    start(ctx, value) {
      visits.delete(idOf(ctx));
      for (const oldest of visits.keys()) {
        if (visits.size < most) break;
        visits.delete(oldest); // a Map keeps the order of insertion
      }
      const id = randomBytes(32).toString('base64url');
      visits.set(id, { value, ends_at: Date.now() + lifetime_ms });
      // Lax, so that the cookie comes along when the identity server sends the browser back, but with nobody else's form.
      ctx.append(
        'Set-Cookie',
        `${options.cookie}=${id}; Path=/; HttpOnly; SameSite=Lax${options.secure ? '; Secure' : ''}`,
      );
    },
  };
}
