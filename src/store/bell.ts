/** Rung when this process has put something into the outbox: its sender need not wait until it looks again. */
export interface Bell {
  /** After the transaction: what is not committed cannot be sent. */
  ring(): void;
  /** Calls `listener` at each ring, until the function that it gives is called. */
  listen(listener: () => void): () => void;
}

export function createBell(): Bell {
  const listeners = new Set<() => void>();
  return {
    ring() {
      for (const listener of listeners) listener();
    },
    listen(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
