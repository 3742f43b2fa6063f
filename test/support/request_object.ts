/** Request objects (RFC 9101), good ones and bad ones. */
import { type JWTPayload, SignJWT } from 'jose';
import type { ClientKey } from './assertion.js';
import { goodRequest } from './flow.js';
import type { TestIdp } from './idp.js';

export interface ObjectChanges {
  /** Members that are undefined are left out. */
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly header?: Readonly<Record<string, unknown>>;
}

/** A good request as a signed object, but for what is changed. */
export async function requestObject(
  idp: Pick<TestIdp, 'issuer' | 'now'>,
  client_id: string,
  key: ClientKey,
  { claims = {}, header = {} }: ObjectChanges = {},
): Promise<string> {
  const usual = { ...goodRequest, client_id, iss: client_id, aud: idp.issuer };
  const all = JSON.parse(JSON.stringify({ ...usual, ...claims })) as JWTPayload; // without undefined
  return new SignJWT(all)
    .setProtectedHeader({ alg: key.alg, kid: key.kid, typ: 'oauth-authz-req+jwt', ...header })
    .sign(key.private_key);
}
