/** Sector identifiers: a document of the client's own site that names its redirect URIs. OpenID Connect Registration §5; REG-11. */
import type { Deps } from '../deps.js';
import { OutboundError } from '../limits/outbound.js';
import type { ClientMetadata } from '../oauth/client_metadata.js';
import { OAuthError } from '../oauth/errors.js';

type Sector = Pick<ClientMetadata, 'sector_identifier_uri' | 'redirect_uris'>;

/**
 * Fetches a client's sector_identifier_uri, if it has one and it or the redirect URIs are others than `before`. Throws OAuthError
 * `invalid_request` where it cannot be fetched, is no JSON list of texts, or lacks a redirect URI.
 */
export async function assertSector(
  { outbound }: Pick<Deps, 'outbound'>,
  client: Sector,
  before: Sector | null,
): Promise<void> {
  const { sector_identifier_uri: url, redirect_uris } = client;
  if (url === undefined || (before !== null && isSame(before, client))) return;
  const listed = await outbound.fetch({ url, accept: 'application/json', max_bytes: 65_536 }).then(
    ({ body }) => parseList(body.toString('utf8')),
    (cause: unknown) => {
      if (!(cause instanceof OutboundError)) throw cause;
      throw refusal('cannot be fetched', cause);
    },
  );
  const missing = redirect_uris.find((uri) => !listed.includes(uri));
  if (missing !== undefined) throw refusal(`does not list the redirect URI ${missing}`);
}

function isSame(before: Sector, client: Sector): boolean {
  const uris = (sector: Sector) => JSON.stringify([...sector.redirect_uris].sort());
  return before.sector_identifier_uri === client.sector_identifier_uri && uris(before) === uris(client);
}

function parseList(text: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(text);
    if (Array.isArray(value)) return value;
  } catch (cause) {
    throw refusal('is not JSON', cause);
  }
  throw refusal('is not a JSON list of redirect URIs');
}

function refusal(why: string, cause?: unknown): OAuthError {
  return new OAuthError('invalid_request', `sector_identifier_uri: ${why}`, { cause });
}
