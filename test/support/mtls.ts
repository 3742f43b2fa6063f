/** Servers that see certificates of clients: behind a proxy that passes them on, and by their own TLS. */
import { writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { createApp } from '../../src/app.js';
import type { Environment } from '../../src/config.js';
import type { Substitutes } from '../../src/deps.js';
import { listen } from '../../src/server.js';
import { type Made, newAuthority, newCertificate } from './certificates.js';
import { newFolder } from './folder.js';
import { freePort } from './free_port.js';
import { type Form, formBody, type JsonAnswer, startIdp } from './idp.js';

/** The authority that the operator trusts with clients. */
export const authority = newAuthority();

/** The server behind a proxy on this machine, which passes certificates on in X-Client-Cert. */
export function startBehindProxy(settings: Environment = {}, substitutes: Substitutes = {}) {
  return startIdp({
    substitutes,
    settings: {
      ISSUER: 'https://id.example',
      TRUSTED_PROXIES: '127.0.0.1',
      CLIENT_CERT_HEADER: 'X-Client-Cert',
      CLIENT_CA: 'ca.pem',
      ...settings,
    },
    files: { 'ca.pem': authority.pem },
  });
}

/** As nginx writes $ssl_client_escaped_cert. */
export const escaped = ({ pem }: Pick<Made, 'pem'>) => ({ 'x-client-cert': encodeURIComponent(pem) });

/** The headers of RFC 9440. */
export const clientCert = ({ der }: Made, chain: readonly Made[] = []) => ({
  'client-cert': `:${der.toString('base64')}:`,
  ...(chain.length > 0 && {
    'client-cert-chain': chain.map((made) => `:${made.der.toString('base64')}:`).join(', '),
  }),
});

/** The server with TLS of its own and a port that asks for certificates. */
export async function startWithTls(settings: Environment = {}) {
  const folder = await newFolder();
  const own = newCertificate({ subject: [{ CN: 'id.example' }], san: [['dns', 'id.example']] });
  const [TLS_CERT, TLS_KEY] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  await writeFile(TLS_CERT, own.pem);
  await writeFile(TLS_KEY, own.key_pem);
  const mtls_port = await freePort();
  const idp = await startIdp({
    settings: {
      ...{ ISSUER: 'https://id.example', TLS_CERT, TLS_KEY, CLIENT_CA: 'ca.pem' },
      ...{ MTLS_PORT: String(mtls_port), HOST: '127.0.0.1', PORT: '0', ...settings },
    },
    files: { 'ca.pem': authority.pem },
  });
  const server = await listen(createApp(idp.deps), idp.config);
  onTestFinished(() => server.close(0));
  /** POSTs a form with this certificate, and those sent along with it. */
  const post = (path: string, form: Form, shown: Made | null, at = mtls_port, along: readonly Made[] = []) =>
    postWith({ port: at, path, ca: own.pem }, form, shown, along);
  return { idp, port: server.port, mtls_port, post };
}

interface Target {
  readonly port: number;
  readonly path: string;
  readonly ca: string;
}

async function postWith(
  target: Target,
  form: Form,
  shown: Made | null,
  along: readonly Made[],
): Promise<Pick<JsonAnswer, 'status' | 'body'>> {
  const sent = request({
    ...{ ...target, host: '127.0.0.1', servername: 'id.example', method: 'POST', agent: false },
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    ...(shown && { cert: [shown, ...along].map(({ pem }) => pem).join(''), key: shown.key_pem }),
  });
  return new Promise((resolve, reject) => {
    sent.on('error', reject);
    sent.on('response', async (response) => {
      resolve({ status: response.statusCode ?? 0, body: JSON.parse(await text(response)) });
    });
    sent.end(formBody(form).toString());
  });
}
