/** An authenticator and its browser in software: makes passkeys and signs with them, rightly or with something changed. */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isoCBOR } from '@simplewebauthn/server/helpers';

type CoseAlg = -7 | -8 | -257;

/** What an honest ceremony would have otherwise. */
export interface Changes {
  readonly origin?: string;
  readonly rp_id?: string;
  readonly challenge?: string;
  readonly type?: string;
  readonly cross_origin?: boolean;
  readonly user_present?: boolean;
  readonly user_verified?: boolean;
  readonly sign_count?: number;
  readonly backup_eligible?: boolean;
  readonly user_handle?: string | null;
  readonly alg?: number;
  /** Turns a bit of the signature over. */
  readonly tamper?: boolean;
  /** The attestation statement that comes along. */
  readonly attestation?: { readonly fmt: string; readonly statement: Map<string, unknown> };
}

export interface AuthenticatorOptions {
  readonly origin: string;
  readonly alg?: CoseAlg;
  /** Whether it makes sure who is there. */
  readonly user_verified?: boolean;
  /** Whether its passkeys can be copied to other devices. */
  readonly backup_eligible?: boolean;
  readonly aaguid?: string;
  /** Whether it counts how often it signs. */
  readonly counts?: boolean;
}

interface CreationOptions {
  readonly rp: { readonly id?: string | undefined };
  readonly user: { readonly id: string };
  readonly challenge: string;
}

interface RequestOptions {
  readonly rpId?: string | undefined;
  readonly challenge: string;
}

const bytesOf = (base64url: string) => Buffer.from(base64url, 'base64url');
const sha256 = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest();

/** One authenticator with one passkey. */
export class Authenticator {
  readonly credential_id = randomBytes(32).toString('base64url');
  readonly #options: Required<AuthenticatorOptions>;
  readonly #private: KeyObject;
  readonly #cose: Buffer;
  sign_count = 0;
  user_handle: string | null = null;

  constructor(options: AuthenticatorOptions) {
    this.#options = {
      alg: -7,
      user_verified: true,
      backup_eligible: false,
      aaguid: '00000000-0000-0000-0000-000000000000',
      counts: true,
      ...options,
    };
    const { privateKey, publicKey } = newKeyPair(this.#options.alg);
    this.#private = privateKey;
    this.#cose = Buffer.from(isoCBOR.encode(coseKey(publicKey, this.#options.alg)));
  }

  /** What the browser posts for a new passkey. */
  create(asked: CreationOptions, changes: Changes = {}): string {
    this.user_handle = asked.user.id;
    const id = bytesOf(this.credential_id);
    const length = Buffer.alloc(2);
    length.writeUInt16BE(id.length);
    const aaguid = Buffer.from(this.#options.aaguid.replaceAll('-', ''), 'hex');
    const cose = changes.alg === undefined ? this.#cose : withAlg(this.#cose, changes.alg);
    const attested = Buffer.concat([aaguid, length, id, cose]);
    const authData = this.#authenticatorData(asked.rp.id ?? '', changes, attested);
    const { fmt, statement } = changes.attestation ?? { fmt: 'none', statement: new Map() };
    const attestation = new Map<string, unknown>([
      ['fmt', fmt],
      ['attStmt', statement],
      ['authData', new Uint8Array(authData)],
    ]);
    return JSON.stringify({
      id: this.credential_id,
      rawId: this.credential_id,
      type: 'public-key',
      authenticatorAttachment: 'platform',
      clientExtensionResults: { credProps: { rk: true } },
      response: {
        clientDataJSON: this.#clientData('webauthn.create', asked.challenge, changes).toString('base64url'),
        attestationObject: Buffer.from(isoCBOR.encode(attestation as Map<string, string>)).toString(
          'base64url',
        ),
        transports: ['internal', 'hybrid', 'pigeon'],
      },
    });
  }

  /** What the browser posts for a sign-in. */
  get(asked: RequestOptions, changes: Changes = {}): string {
    if (this.#options.counts) this.sign_count += 1;
    const authData = this.#authenticatorData(asked.rpId ?? '', changes, null);
    const clientData = this.#clientData('webauthn.get', asked.challenge, changes);
    const signed = Buffer.concat([authData, sha256(clientData)]);
    const signature = sign(this.#options.alg === -8 ? null : 'sha256', signed, this.#private);
    if (changes.tamper) signature[signature.length - 1] = (signature.at(-1) ?? 0) ^ 1;
    const handle = changes.user_handle === undefined ? this.user_handle : changes.user_handle;
    return JSON.stringify({
      id: this.credential_id,
      rawId: this.credential_id,
      type: 'public-key',
      authenticatorAttachment: 'platform',
      clientExtensionResults: {},
      response: {
        clientDataJSON: clientData.toString('base64url'),
        authenticatorData: authData.toString('base64url'),
        signature: signature.toString('base64url'),
        ...(handle !== null && { userHandle: handle }),
      },
    });
  }

  #clientData(type: string, challenge: string, changes: Changes): Buffer {
    return Buffer.from(
      JSON.stringify({
        type: changes.type ?? type,
        challenge: changes.challenge ?? challenge,
        origin: changes.origin ?? this.#options.origin,
        crossOrigin: changes.cross_origin ?? false,
      }),
    );
  }

  #authenticatorData(rp_id: string, changes: Changes, attested: Buffer | null): Buffer {
    const eligible = changes.backup_eligible ?? this.#options.backup_eligible;
    const flags = [
      changes.user_present ?? true,
      false,
      changes.user_verified ?? this.#options.user_verified,
      eligible,
      eligible,
      false,
      attested !== null,
    ];
    const head = Buffer.alloc(5);
    head.writeUInt8(flags.reduce((bits, set, index) => bits | (set ? 1 << index : 0), 0));
    head.writeUInt32BE(changes.sign_count ?? this.sign_count, 1);
    return Buffer.concat([sha256(changes.rp_id ?? rp_id), head, ...(attested === null ? [] : [attested])]);
  }
}

function newKeyPair(alg: CoseAlg) {
  if (alg === -7) return generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return alg === -8 ? generateKeyPairSync('ed25519') : generateKeyPairSync('rsa', { modulusLength: 2048 });
}

type CoseKey = Map<number, number | Uint8Array>;

/** RFC 9052 §7; RFC 9053 §7; RFC 8230 §4. */
function coseKey(key: KeyObject, alg: CoseAlg): CoseKey {
  const jwk = key.export({ format: 'jwk' });
  const member = (text: unknown) => new Uint8Array(bytesOf(String(text)));
  if (alg === -8)
    return new Map<number, number | Uint8Array>([
      [1, 1],
      [3, alg],
      [-1, 6],
      [-2, member(jwk.x)],
    ]);
  if (alg === -257)
    return new Map<number, number | Uint8Array>([
      [1, 3],
      [3, alg],
      [-1, member(jwk.n)],
      [-2, member(jwk.e)],
    ]);
  return new Map<number, number | Uint8Array>([
    [1, 2],
    [3, alg],
    [-1, 1],
    [-2, member(jwk.x)],
    [-3, member(jwk.y)],
  ]);
}

function withAlg(cose: Buffer, alg: number): Buffer {
  const key = isoCBOR.decodeFirst<CoseKey>(new Uint8Array(cose));
  return Buffer.from(isoCBOR.encode(new Map([...key, [3, alg]])));
}
