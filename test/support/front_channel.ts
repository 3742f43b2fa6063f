/** Clients whose tokens come with the authorization response, and what such a response holds. */
import { decodeJwt } from 'jose';
import type { Page } from './browser.js';
import type { Form } from './idp.js';
import { startShop } from './shop.js';

export const every_response_type =
  'code,none,id_token,id_token token,code id_token,code token,code id_token token';

/** What a request of this type needs beside a good one. */
export const askFor = (response_type: string, changes: Form = {}): Form => ({
  response_type,
  nonce: 'n1',
  ...changes,
});

/** The grants that go with a response type. */
function grantTypesOf(response_type: string): string[] {
  const words = response_type.split(' ');
  return [
    ...(words.includes('code') ? ['authorization_code', 'refresh_token'] : []),
    ...(words.some((word) => word.endsWith('token')) ? ['implicit'] : []),
    ...(response_type === 'none' ? ['client_credentials'] : []),
  ];
}

/** A server where every response type is on, and a client for one. */
export function startFrontChannel(response_type: string, options: Parameters<typeof startShop>[0] = {}) {
  return startShop({
    ...options,
    settings: { RESPONSE_TYPES: every_response_type, ...options.settings },
    metadata: {
      response_types: [response_type],
      grant_types: grantTypesOf(response_type),
      ...options.metadata,
    },
  });
}

/** The parameters behind the # of a redirect, and that there are none before it. */
export function fragmentOf(page: Page): Record<string, string> {
  const { hash, search } = new URL(page.headers.get('location') ?? '');
  if (search !== '') throw new Error(`something is in the query: ${search}`);
  return Object.fromEntries(new URLSearchParams(hash.slice(1)));
}

export const claimsOf = (jwt: string | undefined): Record<string, unknown> => decodeJwt(jwt ?? '');
