/** Client assertions (private_key_jwt), good ones and bad ones. OpenID Connect Core §9. */
import { type CryptoKey, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import type { Form, TestIdp } from './idp.js';

export const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

export interface ClientKey {
  readonly alg: string;
  readonly kid: string;
  readonly private_key: CryptoKey;
  /** The public key, as it is registered. */
  readonly jwk: Record<string, unknown> & { readonly kty: string };
}

export async function newClientKey(alg = 'ES256', kid = 'k1'): Promise<ClientKey> {
  const pair = await generateKeyPair(alg, { extractable: true });
  const { kty = '', ...members } = await exportJWK(pair.publicKey);
  return { alg, kid, private_key: pair.privateKey, jwk: { kty, ...members, kid, alg, use: 'sig' } };
}

/** A secret to sign with, as its text in UTF-8. */
export interface ClientSecret {
  readonly alg: string;
  readonly kid?: string;
  readonly private_key: Uint8Array;
}

export interface Assertion {
  /** Members that are undefined are left out. */
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly header?: Readonly<Record<string, unknown>>;
}

/** An assertion of `client_id` that is good for a minute, but for what is changed. */
export async function assertionOf(
  idp: TestIdp,
  client_id: string,
  key: ClientKey | ClientSecret,
  changes: Assertion = {},
): Promise<string> {
  const now = idp.now();
  const usual = {
    iss: client_id,
    sub: client_id,
    aud: idp.issuer,
    iat: now,
    exp: now + 60,
    jti: crypto.randomUUID(),
  };
  const claims = JSON.parse(JSON.stringify({ ...usual, ...changes.claims })) as JWTPayload; // without undefined
  return new SignJWT(claims)
    .setProtectedHeader({ alg: key.alg, ...(key.kid !== undefined && { kid: key.kid }), ...changes.header })
    .sign(key.private_key);
}

/** A JWT put together from anything, signed or not. */
export function unsigned(header: unknown, payload: unknown, signature = ''): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part(header)}.${part(payload)}.${signature}`;
}

/** client_credentials with an assertion. */
export function withAssertion(client_assertion: string, changes: Form = {}): Form {
  return { grant_type: 'client_credentials', client_assertion_type, client_assertion, ...changes };
}
