/** What the server fetches: out of a table of replies, or by the real thing, which refuses it. */
import { expect } from 'vitest';
import {
  createOutbound,
  type Outbound,
  OutboundError,
  type OutboundOptions,
} from '../../src/limits/outbound.js';

export interface Replies {
  readonly outbound: Outbound;
  /** The URLs that were fetched, in their order. */
  readonly asked: string[];
  /** What a URL answers from now on: bytes, or anything else as JSON. */
  set(url: string, reply: unknown): void;
  /** From now on it cannot be reached. */
  remove(url: string): void;
}

/** A URL that is not in the table cannot be reached. */
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
      call: ({ url }) => Promise.reject(new OutboundError(`${new URL(url).host} cannot be reached`)),
    },
  };
}

/** What the outbound tests ask for. */
export const ask = { accept: 'image/png', max_bytes: 1000 };
export const hosted: OutboundOptions = { loopback: false, allowed_hosts: [] };
/** The issuer is a loopback http address itself. */
export const onLoopback: OutboundOptions = { loopback: true, allowed_hosts: [] };

/** Fetching the URL is refused with a message like this. */
export async function expectRefused(
  url: string,
  message: string | RegExp,
  options: Partial<OutboundOptions> = {},
): Promise<void> {
  await expectRefusedBy(createOutbound({ ...hosted, ...options }), url, message);
}

export async function expectRefusedBy(
  outbound: ReturnType<typeof createOutbound>,
  url: string,
  message: string | RegExp,
): Promise<void> {
  const error = await outbound.fetch({ ...ask, url }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(OutboundError);
  expect(String(error)).toMatch(message);
}
