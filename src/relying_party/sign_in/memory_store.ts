/** Sessions in the memory of one process: for development, and for apps that may forget them at a restart. */
import type { SessionStore, StoredSession } from './store.js';

export interface MemorySessionsOptions {
  /** How many sessions are kept, 10,000 unless told otherwise. Beyond it the one that was used longest ago ends. */
  readonly max?: number;
}

export function memorySessions({ max = 10_000 }: MemorySessionsOptions = {}): SessionStore {
  const sessions = new Map<string, StoredSession>();
  const claims = new Map<string, number>();

  const removeWhere = (matches: (session: StoredSession) => boolean): number => {
    const found = [...sessions.values()].filter(matches);
    for (const { digest } of found) sessions.delete(digest);
    return found.length;
  };

  return {
    async insert(session) {
      sessions.set(session.digest, session);
      dropOldest(sessions, max);
    },
    async find(digest, now) {
      const session = sessions.get(digest);
      if (session === undefined) return undefined;
      sessions.delete(digest);
      if (session.expires_at <= now) return undefined;
      sessions.set(digest, session); // to the end: a Map keeps the order of insertion
      return session;
    },
    async replace(digest, version, sealed) {
      const session = sessions.get(digest);
      if (session?.version !== version) return false;
      sessions.set(digest, { ...session, sealed, version: version + 1 });
      return true;
    },
    async remove(digest, version) {
      const session = sessions.get(digest);
      if (version !== undefined && session?.version !== version) return false;
      return sessions.delete(digest);
    },
    async removeBySid(iss, sid) {
      return removeWhere((session) => session.iss === iss && session.sid === sid);
    },
    async removeBySub(iss, sub) {
      return removeWhere((session) => session.iss === iss && session.sub === sub);
    },
    async claim(key, expires_at, now) {
      if ((claims.get(key) ?? 0) > now) return false;
      claims.delete(key);
      claims.set(key, expires_at);
      dropOldest(claims, max);
      return true;
    },
  };
}

function dropOldest(map: Map<string, unknown>, max: number): void {
  for (const oldest of map.keys()) {
    if (map.size <= max) return;
    map.delete(oldest);
  }
}
