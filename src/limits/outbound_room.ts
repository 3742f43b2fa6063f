/**
 * How many requests may be under way at the same time, so that whoever makes this server ask slow hosts uses up neither its sockets
 * nor its memory, and that no host is asked by a crowd. Hardening row 18.
 */
import { OutboundError } from './outbound_address.js';

const most = 128;
const most_of_a_host = 32;

export interface OutboundRoom {
  /** Takes a place for a request to `host`; gives what frees it. Throws OutboundError where there is none. */
  enter(host: string): () => void;
}

export function createOutboundRoom(): OutboundRoom {
  const hosts = new Map<string, number>();
  let all = 0;
  return {
    enter(host) {
      const there = hosts.get(host) ?? 0;
      if (all >= most || there >= most_of_a_host)
        throw new OutboundError('too many requests are under way already');
      hosts.set(host, there + 1);
      all += 1;
      return () => {
        const left = (hosts.get(host) ?? 1) - 1;
        if (left === 0) hosts.delete(host);
        else hosts.set(host, left);
        all -= 1;
      };
    },
  };
}
