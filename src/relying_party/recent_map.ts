/**
 * A map that holds the entries used most recently, and at most `size` of them. It keeps two generations: what is used moves to the
 * young one; when that is half the size, the old one is forgotten. So a hit in the young one writes nothing, which is what makes it
 * quick: an order by last use would move an entry at every look.
 */
export interface RecentMap<V> {
  get(key: string): V | undefined;
  set(key: string, value: V): void;
  readonly size: number;
}

export function createRecentMap<V>(size: number): RecentMap<V> {
  const half = Math.max(1, Math.ceil(size / 2));
  let young = new Map<string, V>();
  let old = new Map<string, V>();

  function set(key: string, value: V): void {
    if (young.size >= half && !young.has(key)) {
      old = young;
      young = new Map();
    }
    young.set(key, value);
    old.delete(key);
  }

  return {
    get(key) {
      const found = young.get(key);
      if (found !== undefined) return found;
      const older = old.get(key);
      if (older !== undefined) set(key, older);
      return older;
    },
    set,
    get size() {
      return young.size + old.size;
    },
  };
}
