/** Request objects by reference: fetched from the client's request_uri, kept if the URI tells its version. RFC 9101 §5.2; OpenID Connect Core §6.2. */
import { LRUCache } from 'lru-cache';
import { type Outbound, OutboundError } from '../limits/outbound.js';

export interface RequestUris {
  /** The JWT at an address. Throws OutboundError if there is none. */
  fetch(request_uri: string, now: number): Promise<string>;
}

interface Fetched {
  readonly fetched_at: number;
  readonly jwt: string;
}

const keep_seconds = 3600;
const most_kept_bytes = 4 * 1024 * 1024;
const longest_object = 65_536;
/** Core §6.2 knew no type yet; a file on an ordinary web server has one of the last two. What counts is the signature. */
const object_types = /^(application\/(oauth-authz-req\+jwt|jwt|jose|octet-stream)|text\/plain) *(;|$)/i;

export function createRequestUris(outbound: Outbound): RequestUris {
  const kept = new LRUCache<string, Fetched>({
    maxSize: most_kept_bytes,
    sizeCalculation: ({ jwt }) => jwt.length,
  });

  return {
    async fetch(request_uri, now) {
      const known = kept.get(request_uri);
      if (known !== undefined && now - known.fetched_at < keep_seconds) return known.jwt;
      const [url = '', version] = request_uri.split('#');
      const accept = 'application/oauth-authz-req+jwt, application/jwt';
      const { content_type, body } = await outbound.fetch({ url, accept, max_bytes: longest_object });
      if (!object_types.test(content_type))
        throw new OutboundError(`the answer is of type ${content_type}, not application/oauth-authz-req+jwt`);
      const jwt = body.toString('latin1').trim(); // base64url and dots; anything else fails as a JWT
      // The fragment changes when the content does; without one it may change at any time (Core §6.2.2).
      if (version !== undefined && jwt !== '') kept.set(request_uri, { fetched_at: now, jwt });
      return jwt;
    },
  };
}
