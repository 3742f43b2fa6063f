/**
 * Where the certificate of a client comes from: our own TLS, or the header of a trusted proxy that ended TLS. From anybody else the
 * header is nothing (HTTP-21). RFC 8705 §6.5; RFC 9440.
 */
import { X509Certificate } from 'node:crypto';
import { TLSSocket } from 'node:tls';
import type { Context } from 'koa';
import type { ClientCertificate, ReadCertificate } from '../client_auth/certificate.js';
import type { Config } from '../config.js';
import { OAuthError } from '../oauth/errors.js';
import { isFromProxy, parseNetworks } from './client_address.js';

type CertificateConfig = Pick<Config, 'CLIENT_CERT_HEADER' | 'TRUSTED_PROXIES'>;

/** How to read the certificate of a request, when something asks for it. */
export function clientCertificates(config: CertificateConfig): (ctx: Context) => ReadCertificate {
  const header = config.CLIENT_CERT_HEADER;
  const trusted = parseNetworks(config.TRUSTED_PROXIES);
  return (ctx) => () =>
    header !== undefined && isFromProxy(ctx, trusted) ? passedOn(ctx, header) : ofSocket(ctx);
}

function ofSocket(ctx: Context): ClientCertificate | undefined {
  const { socket } = ctx.req;
  const leaf = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined;
  if (leaf === undefined) return undefined;
  const intermediates: X509Certificate[] = [];
  for (let next = leaf.issuerCertificate; next !== undefined; next = next.issuerCertificate)
    intermediates.push(next);
  return { leaf, intermediates };
}

/** What the proxy says; whatever its own connection to us shows is not the client's. */
function passedOn(ctx: Context, header: string): ClientCertificate | undefined {
  const text = ctx.get(header);
  if (text === '') return undefined;
  try {
    if (header !== 'client-cert') return { leaf: parsePem(text), intermediates: [] };
    const chain = ctx.get('client-cert-chain');
    return {
      leaf: parseBytes(text),
      intermediates: chain === '' ? [] : chain.split(',').map((item) => parseBytes(item.trim())),
    };
  } catch (cause) {
    throw new OAuthError('invalid_client', 'the client certificate that the proxy passes on cannot be read', {
      cause,
    });
  }
}

/** A byte sequence of RFC 9651 §3.3.5: base64 between colons. */
function parseBytes(item: string): X509Certificate {
  const base64 = /^:([A-Za-z0-9+/]+={0,2}):$/.exec(item)?.[1];
  if (base64 === undefined) throw new Error('it is no byte sequence');
  return new X509Certificate(Buffer.from(base64, 'base64'));
}

/** URL-encoded PEM of one certificate: where a proxy added its word to a client's, neither counts. */
function parsePem(escaped: string): X509Certificate {
  const text = decodeURIComponent(escaped);
  if (!/^\s*-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*$/.test(text))
    throw new Error('it is not one certificate');
  return new X509Certificate(text);
}
