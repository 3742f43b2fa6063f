/**
 * Passkeys: what an authenticator is asked, and whether its answer is right. Web Authentication Level 3, §7.1 (registration) and §7.2
 * (authentication). Pure: nothing is read or written here; a refusal is returned with its reason, which is for the log alone.
 */
import {
  type AuthenticationResponseJSON,
  type AuthenticatorTransport,
  type PublicKeyCredentialCreationOptionsJSON,
  type PublicKeyCredentialDescriptorJSON,
  type PublicKeyCredentialRequestOptionsJSON,
  type RegistrationResponseJSON,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server';
import { decodeAttestationObject, isoBase64URL, isoCBOR } from '@simplewebauthn/server/helpers';
import ipaddr from 'ipaddr.js';
import type { Config } from '../config.js';
import { UserError } from '../oauth/errors.js';
import type { PasskeyRow } from '../store/passkeys.js';
import { type Answer, readAnswer } from './webauthn_answer.js';

/** ES256, EdDSA, RS256: COSE algorithm identifiers (RFC 9053), the one we like best first. */
const algorithms = [-7, -8, -257];

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
function userHandle(user_id: string): string {
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

/** A passkey that nobody has here: the browser may forget it. */
export class UnknownPasskey extends UserError {
  readonly credential_id: string;
  constructor(credential_id: string) {
    super('wrong_credentials', 'passkeys.refused');
    this.credential_id = credential_id;
  }
}

/** A refusal with its reason. */
export interface Refused {
  readonly refused: string;
}

export type NewPasskey = Pick<
  PasskeyRow,
  | 'credential_id'
  | 'public_key'
  | 'sign_count'
  | 'aaguid'
  | 'transports'
  | 'backup_eligible'
  | 'backed_up'
  | 'stands_alone'
>;

/** Verifies the answer to `registrationOptions`. WebAuthn §7.1. */
export async function verifyRegistration(
  rp: RelyingParty,
  text: string,
  challenge: string,
): Promise<NewPasskey | Refused> {
  const answer = readAnswer(text, 'registration');
  if ('refused' in answer) return answer;
  if (answer.framed) return { refused: 'it was made in a frame of another site' };
  return refusing(async () => {
    const { verified, registrationInfo: info } = await verifyRegistrationResponse({
      response: withoutAttestation(answer),
      expectedChallenge: challenge,
      expectedOrigin: rp.origin,
      expectedRPID: rp.id,
      requireUserVerification: false,
      supportedAlgorithmIDs: algorithms,
    });
    if (!verified) return { refused: 'its attestation is not right' };
    const { credential, aaguid, userVerified, credentialDeviceType, credentialBackedUp } = info;
    if (credential.id !== answer.credential_id)
      return { refused: 'it names another credential than it holds' };
    return {
      credential_id: credential.id,
      public_key: isoBase64URL.fromBuffer(credential.publicKey),
      sign_count: credential.counter,
      aaguid,
      transports: answer.transports.join(' '),
      backup_eligible: credentialDeviceType === 'multiDevice' ? 1 : 0,
      backed_up: credentialBackedUp ? 1 : 0,
      stands_alone: userVerified && answer.discoverable ? 1 : 0,
    };
  });
}

/**
 * The answer with its attestation put away, which we do not ask for: whoever made the authenticator is not our business, and the
 * library would fetch the revocation lists that certificates in it name, from whatever address (WebAuthn §8.7).
 */
function withoutAttestation({ json }: Answer): RegistrationResponseJSON {
  const response = json as RegistrationResponseJSON; // readAnswer checked it
  const { attestationObject } = response.response;
  const authData = decodeAttestationObject(isoBase64URL.toBuffer(attestationObject)).get('authData');
  const plain = isoCBOR.encode(
    new Map<string, string | Uint8Array | Map<string, string>>([
      ['fmt', 'none'],
      ['attStmt', new Map<string, string>()],
      ['authData', authData],
    ]),
  );
  return {
    ...response,
    response: { ...response.response, attestationObject: isoBase64URL.fromBuffer(Uint8Array.from(plain)) },
  };
}

export interface Assertion {
  readonly sign_count: number;
  readonly backed_up: number;
  /** Whether the authenticator made sure who is there, by a PIN, a finger or a face. */
  readonly user_verified: boolean;
}

/**
 * Verifies the answer to `authenticationOptions` by the passkey it names. Whether the counter has risen is for the statement that
 * notes it (store/passkeys.ts): here two at the same moment would both be right. WebAuthn §7.2.
 */
export async function verifyAssertion(
  rp: RelyingParty,
  answer: Answer,
  challenge: string,
  passkey: Pick<PasskeyRow, 'credential_id' | 'public_key' | 'user_id' | 'backup_eligible'>,
): Promise<Assertion | Refused> {
  if (answer.framed) return { refused: 'it was made in a frame of another site' };
  if (answer.user_handle !== null && answer.user_handle !== userHandle(passkey.user_id))
    return { refused: 'it names another user than its credential' };
  return refusing(async () => {
    const { verified, authenticationInfo: info } = await verifyAuthenticationResponse({
      response: answer.json as AuthenticationResponseJSON, // readAnswer checked it
      expectedChallenge: challenge,
      expectedOrigin: rp.origin,
      expectedRPID: rp.id,
      requireUserVerification: false,
      credential: {
        id: passkey.credential_id,
        publicKey: isoBase64URL.toBuffer(passkey.public_key),
        counter: -1,
      },
    });
    if (!verified) return { refused: 'its signature is not right' };
    const backup_eligible = info.credentialDeviceType === 'multiDevice' ? 1 : 0;
    if (backup_eligible !== passkey.backup_eligible) return { refused: 'its backup eligibility has changed' };
    return {
      sign_count: info.newCounter,
      backed_up: info.credentialBackedUp ? 1 : 0,
      user_verified: info.userVerified,
    };
  });
}

/**
 * What an assertion proves: that somebody was there (`user`) with a key (`pop`) in hardware or in software that copies it; with
 * verification it is two factors in one (RFC 8176 §2).
 */
export function amrOf(
  { backup_eligible }: Pick<PasskeyRow, 'backup_eligible'>,
  { user_verified }: Assertion,
): readonly string[] {
  return ['pop', backup_eligible === 1 ? 'swk' : 'hwk', 'user', ...(user_verified ? ['mfa'] : [])];
}

/** The library says by throwing what is not right, and also where bytes are nothing that it can read. */
async function refusing<T>(verify: () => Promise<T | Refused>): Promise<T | Refused> {
  try {
    return await verify();
  } catch (error) {
    return { refused: error instanceof Error ? error.message : 'it cannot be read' };
  }
}
