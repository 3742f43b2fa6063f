/** Request objects (RFC 9101), good ones and bad ones. */
import { type JWTPayload, SignJWT } from 'jose';
import type { ClientKey } from './assertion.js';
import { ask, signedInBrowser } from './authorize.js';
import { goodRequest } from './flow.js';
import { type Form, type IdpOptions, startIdp, type TestIdp } from './idp.js';

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

/** What stands beside an object at least. */
export const bare: Form = {
  ...{ response_type: undefined, redirect_uri: undefined, scope: undefined, state: undefined },
  ...{ code_challenge: undefined, code_challenge_method: undefined },
};

/** A shop that signs its requests with `key`, and somebody who is signed in. */
export async function startSigning(
  key: ClientKey,
  { metadata = {}, ...options }: IdpOptions & { metadata?: object } = {},
) {
  const idp = await startIdp(options);
  await idp.addUser();
  const shop = await idp.addClient({ jwks: { keys: [key.jwk] }, ...metadata }, 'shop');
  const browser = await signedInBrowser(idp);
  const object = (changes: ObjectChanges = {}, by: ClientKey = key) =>
    requestObject(idp, 'shop', by, changes);
  return {
    ...{ idp, shop, browser, object },
    /** Asks with an object and nothing else, unless something stands beside it. */
    send: (request: string, outside: Form = {}) => ask(browser, 'shop', { ...bare, request, ...outside }),
  };
}
