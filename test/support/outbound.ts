/** What the server fetches, out of a table of replies: a URL that is not in it cannot be reached. */
import { type Outbound, OutboundError } from '../../src/limits/outbound.js';

export interface Replies {
  readonly outbound: Outbound;
  /** The URLs that were fetched, in their order. */
  readonly asked: string[];
  /** What a URL answers from now on: bytes, or anything else as JSON. */
  set(url: string, reply: unknown): void;
  /** From now on it cannot be reached. */
  remove(url: string): void;
}

export function replies(): Replies {
  const table = new Map<string, Buffer>();
  const asked: string[] = [];
  return {
    asked,
    set: (url, reply) =>
      void table.set(url, Buffer.isBuffer(reply) ? reply : Buffer.from(JSON.stringify(reply))),
    remove: (url) => void table.delete(url),
    outbound: {
      async fetch({ url }) {
        asked.push(url);
        const body = table.get(url);
        if (body === undefined) throw new OutboundError(`${new URL(url).host} cannot be reached`);
        return { content_type: 'application/octet-stream', body };
      },
      post: ({ url }) => Promise.reject(new OutboundError(`${new URL(url).host} cannot be reached`)),
    },
  };
}
