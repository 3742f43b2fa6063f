/**
 * JWTs for one client: signed with the algorithm that it registered for them, and encrypted to its own key where it wants that, in this
 * order. OpenID Connect Core §10; protocol.md IDT-02, IDT-12. There is no `none`, and nothing is compressed.
 */
import type { Deps } from '../deps.js';
import { encryptJwt } from '../keys/jwe.js';
import type { JwtType } from '../keys/jws.js';
import type { KeyRing } from '../keys/keys.js';
import { OutboundError } from '../limits/outbound.js';
import type { JweAlg, JweEnc } from '../oauth/algorithms.js';
import { type ResponsePurpose, responseAlgorithms } from '../oauth/client_rules.js';
import type { EncryptionKey } from '../oauth/encryption_key.js';
import { OAuthError } from '../oauth/errors.js';
import type { Client } from '../store/clients.js';

export interface ClientJwtDeps extends Pick<Deps, 'clientKeys'> {
  readonly ring: KeyRing;
}

/** What a JWT is for: its `typ`, and whose algorithms it has. A logout token is made like an ID token (Back-Channel Logout §2.4). */
const kinds = {
  id_token: { typ: 'JWT', as: 'id_token' },
  userinfo: { typ: 'JWT', as: 'userinfo' },
  introspection: { typ: 'token-introspection+jwt', as: 'introspection' },
  authorization: { typ: 'JWT', as: 'authorization' },
  logout: { typ: 'logout+jwt', as: 'id_token' },
} as const satisfies Record<string, { readonly typ: JwtType; readonly as: ResponsePurpose }>;

export type ClientJwtPurpose = keyof typeof kinds;

/**
 * Signs claims for a client, and encrypts the JWT where it wants that. Throws OAuthError `temporarily_unavailable` where its keys
 * cannot be fetched, `invalid_request` where none of them fits.
 */
export function clientJwt(
  deps: ClientJwtDeps,
  client: Client,
  purpose: ClientJwtPurpose,
  claims: object,
  now: number,
): Promise<string> {
  const { typ, as } = kinds[purpose];
  const { signed, encrypted } = responseAlgorithms(client, as);
  const jwt = deps.ring.sign(typ, claims, now, signed);
  return encrypted === undefined ? jwt : encryptTo(deps, client, encrypted, jwt, now);
}

/**
 * Makes sure that a JWT for this purpose could be encrypted now, by doing it: asked before anything is used up for it. Throws as
 * clientJwt.
 */
export async function assertReceives(
  deps: Pick<Deps, 'clientKeys'>,
  client: Client,
  purpose: ClientJwtPurpose,
  now: number,
): Promise<void> {
  const { encrypted } = responseAlgorithms(client, kinds[purpose].as);
  if (encrypted !== undefined) await encryptTo(deps, client, encrypted, Promise.resolve(''), now);
}

async function encryptTo(
  { clientKeys }: Pick<Deps, 'clientKeys'>,
  client: Client,
  { alg, enc }: { readonly alg: JweAlg; readonly enc: JweEnc },
  jwt: Promise<string>,
  now: number,
): Promise<string> {
  const [text, jwk] = await Promise.all([jwt, findKey(clientKeys, client, alg, now)]);
  try {
    return await encryptJwt(text, { jwk, alg, enc });
  } catch (cause) {
    // A key of the client's choosing: some that can be read are none all the same, a point of small order for one.
    throw unusable(alg, cause);
  }
}

async function findKey(
  clientKeys: Deps['clientKeys'],
  client: Client,
  alg: JweAlg,
  now: number,
): Promise<EncryptionKey> {
  const jwk = await clientKeys.findToEncrypt(client, alg, now).catch((cause: unknown) => {
    if (!(cause instanceof OutboundError)) throw cause;
    const description = 'the keys of this client cannot be fetched from its jwks_uri';
    throw new OAuthError('temporarily_unavailable', description, { cause });
  });
  if (jwk !== undefined) return jwk;
  throw unusable(alg);
}

function unusable(alg: JweAlg, cause?: unknown): OAuthError {
  return new OAuthError('invalid_request', `this client has no key that ${alg} can encrypt to`, { cause });
}
