/**
 * What a browser is asked to ask its authenticators, and who asks. Web Authentication Level 3, §5.4 and §5.5.
 */
import type {
  AuthenticatorTransport,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialDescriptorJSON,
  PublicKeyCredentialRequestOptionsJSON,
} from '@simplewebauthn/server';
import ipaddr from 'ipaddr.js';
import type { Config } from '../config.js';
import type { PasskeyRow } from '../store/passkeys.js';

/** ES256, EdDSA, RS256: COSE algorithm identifiers (RFC 9053), the one we like best first. */
export const algorithms = [-7, -8, -257];

/** How long a browser keeps asking, milliseconds: as long as the challenge is good. */
const timeout = 300_000;

export interface RelyingParty {
  /** The issuer's host: never what a request's Host header says. */
  readonly id: string;
  readonly origin: string;
  readonly name: string;
}

/** This server as authenticators know it. Null where the issuer's host is an IP address: browsers make no passkeys for those. */
export function relyingParty(config: Pick<Config, 'ISSUER' | 'PRODUCT_NAME'>): RelyingParty | null {
  const { hostname, origin } = new URL(config.ISSUER);
  if (ipaddr.isValid(hostname.replace(/^\[|\]$/g, ''))) return null;
  return { id: hostname, origin, name: config.PRODUCT_NAME };
}

type Known = Pick<PasskeyRow, 'credential_id' | 'transports'>;

export interface Registrant {
  readonly user_id: string;
  readonly email: string;
  readonly name: string | null;
  /** The passkeys they have: an authenticator that holds one of them makes no second. */
  readonly passkeys: readonly Known[];
}

/** What the browser is asked for a new passkey: any authenticator, one that can sign in by itself if it is able to. WebAuthn §5.4. */
export function registrationOptions(
  rp: RelyingParty,
  { user_id, email, name, passkeys }: Registrant,
  challenge: string,
): PublicKeyCredentialCreationOptionsJSON {
  return {
    rp: { id: rp.id, name: rp.name },
    user: { id: userHandle(user_id), name: email, displayName: name ?? email },
    challenge,
    pubKeyCredParams: algorithms.map((alg) => ({ type: 'public-key', alg })),
    timeout,
    excludeCredentials: passkeys.map(descriptor),
    authenticatorSelection: { residentKey: 'preferred', userVerification: 'preferred' },
    attestation: 'none',
    extensions: { credProps: true },
  };
}

/**
 * What the browser is asked for a sign-in. Without `passkeys` any that it has will do, and it must find out who is there: nothing is
 * said of any account. With them, those of a person who has given a first proof already. WebAuthn §5.5.
 */
export function authenticationOptions(
  rp: RelyingParty,
  passkeys: readonly Known[] | null,
  challenge: string,
): PublicKeyCredentialRequestOptionsJSON {
  return {
    rpId: rp.id,
    challenge,
    timeout,
    userVerification: passkeys === null ? 'required' : 'preferred',
    ...(passkeys !== null && { allowCredentials: passkeys.map(descriptor) }),
  };
}

/** A user's id as authenticators keep it: bytes, base64url. It names nobody (WebAuthn §14.6.1). */
export function userHandle(user_id: string): string {
  return Buffer.from(user_id).toString('base64url');
}

function descriptor({ credential_id, transports }: Known): PublicKeyCredentialDescriptorJSON {
  const known = transports.split(' ').filter((word) => word !== '') as AuthenticatorTransport[]; // checked as they came in
  return { type: 'public-key', id: credential_id, ...(known.length > 0 && { transports: known }) };
}

/** What a browser is told of a person's passkeys, so that it offers no others (WebAuthn §5.1.10.3). */
export function acceptedPasskeys(rp: RelyingParty, user_id: string, passkeys: readonly Known[]) {
  const allAcceptedCredentialIds = passkeys.map(({ credential_id }) => credential_id);
  return { rpId: rp.id, userId: userHandle(user_id), allAcceptedCredentialIds };
}
