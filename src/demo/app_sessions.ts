/**
 * The sessions of a small web application: in memory, found by a random cookie. They are the app's own, apart from the session at
 * the identity server. An application with more than one process would keep them in its database.
 */
import { randomBytes } from 'node:crypto';
import type { Context } from 'koa';

export interface AppSessions<T> {
  find(ctx: Context): T | undefined;
  /** Begins a session under a new cookie; the one before it, if any, ends. Whoever signs in gets a new cookie. */
  start(ctx: Context, value: T): T;
}

const most = 1000;
const lifetime_ms = 8 * 3600 * 1000;

/**
 * `cookie` is its name, different for each app: cookies ignore ports, so two apps on one host would overwrite each other's.
 * `secure` is for https alone.
 */
export function createAppSessions<T>(options: {
  readonly cookie: string;
  readonly secure: boolean;
}): AppSessions<T> {
  const sessions = new Map<string, { readonly value: T; readonly ends_at: number }>();
  const idOf = (ctx: Context) => ctx.cookies.get(options.cookie) ?? '';

  return {
    find(ctx) {
      const found = sessions.get(idOf(ctx));
      return found !== undefined && found.ends_at > Date.now() ? found.value : undefined;
    },
    start(ctx, value) {
      sessions.delete(idOf(ctx));
      for (const oldest of sessions.keys()) {
        if (sessions.size < most) break;
        sessions.delete(oldest); // a Map keeps the order of insertion
      }
      const id = randomBytes(32).toString('base64url');
      sessions.set(id, { value, ends_at: Date.now() + lifetime_ms });
      // Lax, so that the cookie comes along when the identity server sends the browser back, but with nobody else's form.
      ctx.set(
        'Set-Cookie',
        `${options.cookie}=${id}; Path=/; HttpOnly; SameSite=Lax${options.secure ? '; Secure' : ''}`,
      );
      return value;
    },
  };
}
