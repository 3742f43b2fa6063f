/** What openid-client fetches, by way of the outbound gate (hardening row 18): the only fetch that it is ever given. */
import type { CustomFetch } from 'openid-client';
import type { Outbound } from '../limits/outbound.js';

/** Documents, JWK Sets, answers of token and userinfo endpoints, bytes. */
const max_bytes = 65_536;

/** Never follows a redirect, which the library takes for the error that it is. Throws OutboundError where no answer came. */
export function gateFetch(outbound: Pick<Outbound, 'call'>): CustomFetch {
  return async (url, { method, headers, body }) => {
    if (method !== 'GET' && method !== 'POST') throw new TypeError(`${method} is not sent to a provider`);
    const content = { headers: { ...headers }, body: textOf(body) };
    const answer = await outbound.call({ url, method, ...content, max_bytes });
    const bodyless = [204, 205, 304].includes(answer.status); // Fetch §3.5: such a Response must have none
    return new Response(bodyless ? null : new Uint8Array(answer.body), {
      status: answer.status,
      headers: answer.headers.map(([name, value]) => [name, value]),
    });
  };
}

/** What this server has the library send is forms alone. */
function textOf(body: Parameters<CustomFetch>[1]['body']): string {
  if (body === undefined || body === null) return '';
  if (typeof body === 'string' || body instanceof URLSearchParams) return body.toString();
  throw new TypeError('only forms are sent to a provider');
}
