/** response_mode=query: the parameters are appended to the redirect URI. RFC 6749 §4.1.2; OAuth Multiple Response Types §2.1. */
import type { RegisteredRedirectUri } from '../redirect_uri.js';

export const query = {
  response_mode: 'query',

  /** A query that is registered with the URI is kept, byte for byte (RFC 6749 §3.1.2). */
  respond(
    redirect_uri: RegisteredRedirectUri,
    parameters: Readonly<Record<string, string>>,
  ): { readonly redirect: string } {
    return { redirect: appendQuery(redirect_uri, parameters) };
  },
} as const;

/** Appends parameters to a URI as application/x-www-form-urlencoded, without touching what is there. */
export function appendQuery(uri: string, parameters: Readonly<Record<string, string>>): string {
  const added = new URLSearchParams(parameters).toString();
  if (added === '') return uri;
  if (!uri.includes('?')) return `${uri}?${added}`;
  return /[?&]$/.test(uri) ? `${uri}${added}` : `${uri}&${added}`;
}
