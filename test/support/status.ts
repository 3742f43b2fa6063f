/** Status lists as an application reads them, with jose and zlib alone. */
import { inflateSync } from 'node:zlib';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import type { TestIdp } from './idp.js';

export interface StatusClaim {
  readonly idx: number;
  readonly uri: string;
}

/** Where a token says that its status is. */
export function statusOf(token: string): StatusClaim {
  return (decodeJwt(token).status as { status_list: StatusClaim }).status_list;
}

/** The bit of a token in the list that the server gives now: 0 valid, 1 revoked. The list's signature is verified. */
export async function bitOf(idp: TestIdp, token: string): Promise<number> {
  const { idx, uri } = statusOf(token);
  const answer = await idp.fetch(uri.slice(idp.issuer.length));
  const keys = createRemoteJWKSet(new URL(`${idp.url}/jwks`));
  const options = { typ: 'statuslist+jwt', subject: uri, currentDate: new Date(idp.now() * 1000) };
  const { payload } = await jwtVerify(await answer.text(), keys, options);
  const bytes = inflateSync(Buffer.from((payload.status_list as { lst: string }).lst, 'base64url'));
  return ((bytes[idx >> 3] ?? 0) >> (idx & 7)) & 1;
}
