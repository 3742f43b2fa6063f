/** The certificate by which a client shows itself in the TLS handshake, ours or that of a proxy. RFC 8705 §2. */
import type { X509Certificate } from 'node:crypto';
import { OAuthError } from '../oauth/errors.js';

export interface ClientCertificate {
  readonly leaf: X509Certificate;
  /** What came along to lead from the leaf to an authority, in any order; nothing of it is believed by itself. */
  readonly intermediates: readonly X509Certificate[];
}

/** Reads the certificate of a request; undefined where there is none. Throws `invalid_client` where a proxy passes on what is none. */
export type ReadCertificate = () => ClientCertificate | undefined;

/** The certificate of a request whose client has no other proof. Throws `invalid_client`. */
export function requireCertificate(read: ReadCertificate): ClientCertificate {
  const certificate = read();
  if (certificate === undefined)
    throw new OAuthError('invalid_client', 'no client certificate was presented in the TLS handshake');
  return certificate;
}

/** Refuses a certificate. The client learns no more than for a wrong secret; the log says why. */
export function refuseCertificate(why: string): never {
  throw new OAuthError('invalid_client', 'client authentication failed', { cause: new Error(why) });
}

/** Whether it is within its time. Text that is no time is in none. */
export function isValidAt({ validFrom, validTo }: X509Certificate, now: number): boolean {
  return Date.parse(validFrom) <= now * 1000 && now * 1000 <= Date.parse(validTo);
}

/** Protocol §0: RSA of 2048 bits, elliptic curves of 224 and more. Throws where node:crypto cannot read the key at all. */
export function hasStrongKey({ publicKey }: X509Certificate): boolean {
  const { modulusLength, namedCurve } = publicKey.asymmetricKeyDetails ?? {};
  switch (publicKey.asymmetricKeyType) {
    case 'rsa':
    case 'rsa-pss':
      return (modulusLength ?? 0) >= 2048;
    case 'ec':
      return namedCurve !== undefined && ['prime256v1', 'secp384r1', 'secp521r1'].includes(namedCurve);
    default:
      return publicKey.asymmetricKeyType === 'ed25519' || publicKey.asymmetricKeyType === 'ed448';
  }
}

export interface AltName {
  readonly kind: string;
  readonly value: string;
}

/**
 * The subject alternative names, as node:crypto prints them: `DNS:a.example, URI:"…"`, where a value that holds anything unusual is a
 * JSON text. None at all where something else is in between.
 */
export function altNamesOf({ subjectAltName }: X509Certificate): readonly AltName[] {
  const found: AltName[] = [];
  let rest = subjectAltName ?? '';
  while (rest !== '') {
    const [whole = '', kind = '', plain, quoted] =
      /^([A-Za-z0-9 ]+):(?:([^",]*)|("(?:[^"\\]|\\.)*"))(?:, |$)/.exec(rest) ?? [];
    if (whole === '') return [];
    found.push({ kind, value: quoted === undefined ? (plain ?? '') : String(JSON.parse(quoted)) });
    rest = rest.slice(whole.length);
  }
  return found;
}
