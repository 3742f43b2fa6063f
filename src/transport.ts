/** What follows from the settings on TLS and certificates: who ends TLS, and where the certificates of clients come from. Pure. */
import { X509Certificate } from 'node:crypto';
import { prefix, type Values } from './settings.js';

/** Paths of PEM files. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

export interface Transport {
  /** The server's certificate and its key, where it ends TLS itself. */
  readonly tls: TlsFiles | undefined;
  /** Whether certificates of clients reach the application at all: by its own TLS, or by a proxy's word. */
  readonly sees_client_certificates: boolean;
  /** The origin of the endpoints that ask for a certificate, where it is not the issuer's. RFC 8705 §5. */
  readonly mtls_origin: string | undefined;
  /** The authorities of `tls_client_auth`. */
  readonly client_ca: readonly X509Certificate[];
  /** Authorities that are trusted where something is fetched, beside those of Node; PEM. */
  readonly outbound_ca: readonly string[];
}

type ReadFile = (path: string) => string;

/** Adds a sentence to `problems` for all that does not go together. */
export function transportOf(values: Values, readFile: ReadFile, problems: string[]): Transport {
  problems.push(...faults(values));
  const { TLS_CERT: cert, TLS_KEY: key, MTLS_PORT, MTLS_ORIGIN, CLIENT_CERT_HEADER } = values;
  const read = (name: 'CLIENT_CA' | 'OUTBOUND_CA') => readAuthorities(name, values[name], readFile, problems);
  const client_ca = read('CLIENT_CA');
  if (client_ca.some((certificate) => !certificate.ca))
    problems.push(`${prefix}CLIENT_CA holds a certificate that is not one of an authority`);
  return {
    tls: cert !== undefined && key !== undefined ? { cert, key } : undefined,
    sees_client_certificates: MTLS_PORT !== undefined || CLIENT_CERT_HEADER !== undefined,
    mtls_origin: MTLS_ORIGIN ?? (MTLS_PORT === undefined ? undefined : withPort(values.ISSUER, MTLS_PORT)),
    client_ca,
    outbound_ca: read('OUTBOUND_CA').map(String),
  };
}

function* faults(values: Values): Generator<string> {
  const { TLS_CERT, TLS_KEY, MTLS_PORT, MTLS_ORIGIN, CLIENT_CERT_HEADER, CLIENT_CA, TRUSTED_PROXIES } =
    values;
  const http = values.ISSUER.startsWith('http:');
  if ((TLS_CERT === undefined) !== (TLS_KEY === undefined))
    yield `${prefix}TLS_CERT and ${prefix}TLS_KEY belong together: set both or neither`;
  if (TLS_CERT !== undefined && http)
    yield `${prefix}TLS_CERT needs an ${prefix}ISSUER that begins with https`;
  if (MTLS_PORT !== undefined && TLS_CERT === undefined)
    yield `${prefix}MTLS_PORT needs ${prefix}TLS_CERT: behind a proxy, the proxy asks for certificates`;
  if (CLIENT_CERT_HEADER !== undefined && TRUSTED_PROXIES.length === 0)
    yield `${prefix}CLIENT_CERT_HEADER needs ${prefix}TRUSTED_PROXIES: nobody else is believed`;
  if (CLIENT_CERT_HEADER !== undefined && http)
    yield `${prefix}CLIENT_CERT_HEADER needs an ${prefix}ISSUER that begins with https`;
  const seen = MTLS_PORT !== undefined || CLIENT_CERT_HEADER !== undefined;
  for (const [name, value] of Object.entries({ MTLS_ORIGIN, CLIENT_CA })) {
    if (value !== undefined && !seen)
      yield `${prefix}${name} needs ${prefix}MTLS_PORT or ${prefix}CLIENT_CERT_HEADER: without, no certificate gets here`;
  }
}

function withPort(issuer: string, port: number): string {
  const url = new URL(issuer);
  url.port = String(port);
  return url.origin;
}

const pem = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

function readAuthorities(
  name: string,
  path: string | undefined,
  readFile: ReadFile,
  problems: string[],
): readonly X509Certificate[] {
  if (path === undefined) return [];
  try {
    const found = (readFile(path).match(pem) ?? []).map((text) => new X509Certificate(text));
    if (found.length === 0) throw new Error('it holds no PEM certificate');
    return found;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : 'unknown';
    problems.push(`${prefix}${name}: ${path} cannot be used (${why})`);
    return [];
  }
}
