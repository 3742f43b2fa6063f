/**
 * Which key signs and which are published at a time. Pure: a key's state follows from its times, never from a flag (design §7). Each
 * algorithm has a succession of keys of its own: every function here is given the keys of one.
 */

/** The times of a signing key's life, in whole seconds since 1970. */
export interface KeyTimes {
  readonly created_at: number;
  readonly active_at: number;
  readonly retired_at: number | null;
  readonly expires_at: number | null;
}

export type KeyState = 'announced' | 'active' | 'retired' | 'gone';

/**
 * announced: published, not yet used · active: signs, or is encrypted to · retired: published until its last token expired, or still
 * decrypts · gone.
 */
export function keyState(key: KeyTimes, keys: readonly KeyTimes[], now: number): KeyState {
  if (key.expires_at !== null && key.expires_at <= now) return 'gone';
  if (key === signingKey(keys, now)) return 'active';
  return key.active_at > now ? 'announced' : 'retired';
}

/** The key that signs: of those whose time has come and is not over, the one that came last. */
export function signingKey<K extends KeyTimes>(keys: readonly K[], now: number): K | undefined {
  const usable = keys.filter(
    (key) => key.active_at <= now && (key.retired_at === null || key.retired_at > now),
  );
  return usable.reduce<K | undefined>(
    (newest, key) => (newest === undefined || key.active_at >= newest.active_at ? key : newest),
    undefined,
  );
}

/** The keys in the JWK Set: announced, active and retired. RFC 7517 §5; OpenID Connect Core §10.1.1. */
export function publishedKeys<K extends KeyTimes>(keys: readonly K[], now: number): readonly K[] {
  return keys.filter((key) => key.expires_at === null || key.expires_at > now);
}

/** The keys that others may encrypt to: announced and active ones. OpenID Connect Core §10.2.1. */
export function keysToEncryptTo<K extends KeyTimes>(keys: readonly K[], now: number): readonly K[] {
  return keys.filter((key) => key.retired_at === null || key.retired_at > now);
}

/** When a key ends: null while no other key is to follow it. */
export interface KeyEnd<K> {
  readonly key: K;
  readonly retired_at: number | null;
  readonly expires_at: number | null;
}

/**
 * The ends that keys get when one was added or taken out: each signs until the next one's time comes, so that from `now` on
 * exactly one signs, and is kept until what was made with it, which lives `token_seconds`, has expired. A key whose time is over
 * keeps its end and is not named.
 */
export function keyEnds<K extends KeyTimes>(
  keys: readonly K[],
  token_seconds: number,
  now: number,
): readonly KeyEnd<K>[] {
  const open = keys
    .filter((key) => key.retired_at === null || key.retired_at > now)
    .sort((a, b) => a.active_at - b.active_at);
  return open.map((key, index) => {
    const retired_at = open[index + 1]?.active_at ?? null;
    return { key, retired_at, expires_at: retired_at === null ? null : retired_at + token_seconds };
  });
}

/** Whether it is time for a new key: the newest one has been signing, or announced, for `rotation_seconds`. */
export function isRotationDue(keys: readonly KeyTimes[], rotation_seconds: number, now: number): boolean {
  const newest = Math.max(...keys.map((key) => key.active_at));
  return now - newest >= rotation_seconds;
}
