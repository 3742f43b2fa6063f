/** self_signed_tls_client_auth: a certificate, of whatever issuer, whose public key the client has registered. RFC 8705 §2.2. */
import { createPublicKey, type JsonWebKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { JWK } from 'jose';
import { hasStrongKey, isValidAt, refuseCertificate, requireCertificate } from './certificate.js';
import { type ClientAuthentication, onlyNamed } from './method.js';

export const selfSignedTlsClientAuth: ClientAuthentication = {
  method: 'self_signed_tls_client_auth',
  by_connection: true,

  isAvailable: ({ sees_client_certificates }) => sees_client_certificates,

  presented: onlyNamed,

  async verify({ certificate, clientKeys, now }, client) {
    const { leaf } = requireCertificate(certificate);
    if (!isValidAt(leaf, now)) refuseCertificate('the certificate is not valid now');
    const shown = readKey(() => (hasStrongKey(leaf) ? leaf.publicKey : undefined));
    if (shown === undefined)
      refuseCertificate('the key of the certificate is too short, or of an unknown kind');
    const isShown = (jwk: JWK) => keyOf(jwk)?.equals(shown) === true;
    if ((await clientKeys.findAll(client, now)).some(isShown)) return true;
    if ((await clientKeys.renewAll(client, now)).some(isShown)) return true;
    return refuseCertificate('the key of the certificate is none of the registered ones');
  },
};

/** The key of a JWK, or that of the certificate in it (RFC 7517 §4.7); undefined where there is none that can be read. */
function keyOf(jwk: JWK): KeyObject | undefined {
  const [x5c] = Array.isArray(jwk.x5c) ? jwk.x5c : [];
  return readKey(() =>
    x5c === undefined
      ? createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' })
      : new X509Certificate(Buffer.from(String(x5c), 'base64')).publicKey,
  );
}

function readKey(read: () => KeyObject | undefined): KeyObject | undefined {
  try {
    return read();
  } catch {
    return undefined; // it is of a kind that node:crypto does not know
  }
}
