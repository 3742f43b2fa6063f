/**
 * https without a proxy: protocol versions, suites, and the server's certificate, which is taken anew when its files change. RFC 9325
 * §4; protocol HTTP-02.
 */
import { constants, createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { ServerOptions as HttpOptions, RequestListener } from 'node:http';
import { createServer, type Server, type ServerOptions } from 'node:https';
import { isIP } from 'node:net';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { Log } from './deps.js';
import type { TlsFiles } from './transport.js';

/** TLS 1.3 with any of its suites; TLS 1.2 with forward secrecy and authenticated encryption alone. */
const ciphers = [
  ...['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'],
  ...['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES128-GCM-SHA256'],
  ...['ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-RSA-AES256-GCM-SHA384'],
].join(':');

/** A handshake that takes longer is cut off, like headers that do. */
const handshakeTimeout = 15_000;

/** What a TLS server needs of the certificate, at first and each time it was renewed. */
type Identity = Pair & Pick<ServerOptions, 'ciphers' | 'minVersion'>;

export interface Certificate {
  /** A server with this certificate. A `mutual` one asks for the client's, and leaves it to the application to judge (RFC 8705 §2.2). */
  createServer(options: HttpOptions, handler: RequestListener, kind: { readonly mutual: boolean }): Server;
  /**
   * Looks at the files again and gives all its servers what is new in them, for connections to come; those that are open go on. A pair
   * that is broken or half written is logged, once, and changes nothing. What browsers will hold against the one in use is logged once,
   * too.
   */
  renew(where: Where): Promise<void>;
}

/** What a certificate is for, as of now in seconds since 1970. */
export interface Where {
  readonly host: string;
  readonly now: number;
  readonly log: Pick<Log, 'info' | 'warn' | 'error'>;
}

/** Reads the certificate and its key. Throws a sentence where they cannot be read or do not belong together. */
export async function readCertificate(files: TlsFiles): Promise<Certificate> {
  const servers: { readonly server: Server; readonly mutual: boolean }[] = [];
  let seen = await readPair(files);
  let identity = identityOf(seen);
  let told: string | null = null;
  return {
    createServer(options, handler, { mutual }) {
      const asking = { requestCert: mutual, rejectUnauthorized: false };
      const server = createServer(
        { ...options, handshakeTimeout, ...asking, ...contextOf(identity, mutual) },
        handler,
      );
      servers.push({ server, mutual });
      return server;
    },
    async renew({ host, now, log }) {
      try {
        const pair = await readPair(files);
        if (pair.cert !== seen.cert || pair.key !== seen.key) {
          seen = pair; // also where it is broken: once is told enough
          identity = identityOf(pair);
          for (const { server, mutual } of servers) server.setSecureContext(contextOf(identity, mutual));
          log.info({ path: files.cert }, 'the renewed certificate is in use');
        }
      } catch (err) {
        log.error({ err }, 'the certificate was not renewed: the old one stays in use');
      }
      const fault = faultOf(new X509Certificate(identity.cert), host, now);
      if (fault !== null && fault !== told) log.warn({ path: files.cert }, `the certificate ${fault}`);
      told = fault;
    },
  };
}

/** When the renewal of a certificate is overdue: in the last tenth of its life, the last days of a long one; in seconds. */
const latest_seconds = 14 * 86_400;

/** What browsers hold against a certificate, or will soon; whom they trust cannot be told from here. */
function faultOf(certificate: X509Certificate, host: string, now: number): string | null {
  const name = host.replace(/^\[(.*)\]$/, '$1');
  const from = Date.parse(certificate.validFrom) / 1000;
  const to = Date.parse(certificate.validTo) / 1000;
  if ((isIP(name) ? certificate.checkIP(name) : certificate.checkHost(name)) === undefined)
    return `is for another host than the issuer's, ${name}`;
  if (now < from) return `is good only from ${certificate.validFrom}`;
  if (now >= to) return `has expired: ${certificate.validTo}`;
  return to - now <= Math.min(latest_seconds, (to - from) / 10) ? `ends soon: ${certificate.validTo}` : null;
}

/** A session that is resumed has no longer the certificates between the client's and its CA: there, each connection starts anew. */
function contextOf(identity: Identity, mutual: boolean): SecureContextOptions {
  return mutual ? { ...identity, secureOptions: constants.SSL_OP_NO_TICKET } : identity;
}

interface Pair {
  readonly cert: string;
  readonly key: string;
}

async function readPair({ cert, key }: TlsFiles): Promise<Pair> {
  return { cert: await readText('TLS_CERT', cert), key: await readText('TLS_KEY', key) };
}

async function readText(setting: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new Error(`SALLYPORT_${setting}: ${path} cannot be read (${messageOf(cause)})`, { cause });
  }
}

function identityOf(pair: Pair): Identity {
  const identity: Identity = { ...pair, ciphers, minVersion: 'TLSv1.2' };
  try {
    const leaf = new X509Certificate(pair.cert); // OpenSSL would do without where a file is empty
    if (!leaf.checkPrivateKey(createPrivateKey(pair.key))) throw new Error('the key is that of another');
    createSecureContext(identity); // reads the certificates behind the first one, too
  } catch (cause) {
    throw new Error(
      `SALLYPORT_TLS_CERT and SALLYPORT_TLS_KEY are no certificate and its private key (${messageOf(cause)})`,
      { cause },
    );
  }
  return identity;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown';
}
