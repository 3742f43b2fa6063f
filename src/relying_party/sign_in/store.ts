/** Where an application keeps who is signed in. Two are here, memory_store.ts and knex_store.ts; this is the contract for a third. */

/** A session as a store holds it. Times are whole seconds since 1970. */
export interface StoredSession {
  /** SHA-256 of the session cookie; the cookie itself is never stored. */
  readonly digest: string;
  readonly iss: string;
  readonly sub: string;
  /** The provider's name for its own session (OpenID Connect Back-Channel Logout §2.1); null where it gives none. */
  readonly sid: string | null;
  /** Claims and tokens, encrypted under a key that the cookie gives: of no use to whoever reads the store. */
  readonly sealed: string;
  /** Counts the replacements of `sealed`. */
  readonly version: number;
  readonly created_at: number;
  readonly expires_at: number;
}

/**
 * Each method is one step that happens wholly or not at all: processes may share a store. What they throw reaches the caller of
 * the handler.
 */
export interface SessionStore {
  insert(session: StoredSession): Promise<void>;
  /** The session, unless it expired: `expires_at` ≤ `now`. */
  find(digest: string, now: number): Promise<StoredSession | undefined>;
  /**
   * Puts `sealed` in and adds one to the version, if the version is still this one. False if another was faster, or the session
   * has ended.
   */
  replace(digest: string, version: number, sealed: string): Promise<boolean>;
  /** Ends a session; where a version is given, only if it is still this one. False if nothing ended. */
  remove(digest: string, version?: number): Promise<boolean>;
  /** Ends the sessions that hang on one session of the provider. Returns how many. */
  removeBySid(iss: string, sid: string): Promise<number>;
  /** Ends every session of one person. Returns how many. */
  removeBySub(iss: string, sub: string): Promise<number>;
  /**
   * True the first time for a key, false from then on until `expires_at`: an answer or a logout token works once, and one process at a
   * time redeems a refresh token.
   */
  claim(key: string, expires_at: number, now: number): Promise<boolean>;
}
