/**
 * Passkeys: whether the answer of an authenticator is right. Web Authentication Level 3, §7.1 (registration) and §7.2
 * (authentication). Pure: nothing is read or written here; a refusal is returned with its reason, which is for the log alone. The library
 * is loaded by the first passkey: a quarter of a second and 27 MB that a start does without.
 */
import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server';
import { UserError } from '../oauth/errors.js';
import type { PasskeyRow } from '../store/passkeys.js';
import { type Answer, readAnswer } from './webauthn_answer.js';
import { algorithms, type RelyingParty, userHandle } from './webauthn_options.js';

/** A passkey that nobody has here: the browser may forget it. */
export class UnknownPasskey extends UserError {
  readonly credential_id: string;
  constructor(credential_id: string) {
    super('wrong_credentials', 'passkeys.refused');
    this.credential_id = credential_id;
  }
}

/** A refusal with its reason. */
interface Refused {
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
  const { verifyRegistrationResponse } = await import('@simplewebauthn/server');
  return refusing(async () => {
    const { verified, registrationInfo: info } = await verifyRegistrationResponse({
      response: await withoutAttestation(answer),
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
      public_key: Buffer.from(credential.publicKey).toString('base64url'),
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
async function withoutAttestation({ json }: Answer): Promise<RegistrationResponseJSON> {
  const { decodeAttestationObject, isoBase64URL, isoCBOR } = await import('@simplewebauthn/server/helpers');
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
  const { verifyAuthenticationResponse } = await import('@simplewebauthn/server');
  return refusing(async () => {
    const { verified, authenticationInfo: info } = await verifyAuthenticationResponse({
      response: answer.json as AuthenticationResponseJSON, // readAnswer checked it
      expectedChallenge: challenge,
      expectedOrigin: rp.origin,
      expectedRPID: rp.id,
      requireUserVerification: false,
      credential: {
        id: passkey.credential_id,
        publicKey: Uint8Array.from(Buffer.from(passkey.public_key, 'base64url')),
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
  { user_verified }: Pick<Assertion, 'user_verified'>,
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
