/** A status list as a signed token, ready to be sent. IETF Token Status List §4, §5.1. */
import { promisify } from 'node:util';
import { deflate, gzip } from 'node:zlib';
import type { Config } from '../config.js';
import type { KeyRing } from '../keys/keys.js';
import { digest } from '../secrets.js';
import { list_size } from '../store/status_lists.js';

const deflateAsync = promisify(deflate);
const gzipAsync = promisify(gzip);

/** The statuses of one list: a bit each, the least significant bit of a byte first. 1 is INVALID. */
export class StatusBits {
  readonly bytes = Buffer.alloc(list_size / 8);

  /** Sets the bit of an index. False if it was set. */
  set(index: number): boolean {
    const [byte, mask] = [index >> 3, 1 << (index & 7)];
    const before = this.bytes[byte] ?? 0;
    this.bytes[byte] = before | mask;
    return (before & mask) === 0;
  }
}

export interface StatusListToken {
  readonly body: Buffer;
  readonly gzipped: Buffer;
  /** A strong entity tag; the compressed form has one of its own. */
  readonly etag: string;
  /** When it should be signed anew. */
  readonly renew_at: number;
}

export interface StatusListTimes {
  /** How long an application may go without asking again, in seconds. */
  readonly ttl: number;
  /** How long it is valid, in seconds. */
  readonly lifetime: number;
}

/** How long a list is valid once it is signed, in seconds: an application that cannot fetch it anew may go on that long. */
export function statusListLifetime(
  config: Pick<Config, 'ACCESS_TOKEN_SECONDS' | 'STATUS_LIST_TTL_SECONDS'>,
): number {
  return Math.max(config.ACCESS_TOKEN_SECONDS, 2 * config.STATUS_LIST_TTL_SECONDS);
}

/** Compresses and signs a list whose address is `uri`. It is renewed after half its life. */
export async function signStatusList(
  ring: KeyRing,
  uri: string,
  bits: StatusBits,
  { ttl, lifetime }: StatusListTimes,
  now: number,
): Promise<StatusListToken> {
  const lst = (await deflateAsync(bits.bytes, { level: 9 })).toString('base64url');
  const claims = { sub: uri, iat: now, exp: now + lifetime, ttl, status_list: { bits: 1, lst } };
  const token = await ring.sign('statuslist+jwt', claims, now);
  const body = Buffer.from(token);
  return {
    body,
    gzipped: await gzipAsync(body),
    etag: `"${digest(token).slice(0, 22)}"`,
    renew_at: now + Math.floor(lifetime / 2),
  };
}
