/** Where the server stands: its address, its transport, its database and keys, and what it may reach. */
import { z } from 'zod';
import {
  cidrs,
  hosts,
  isDatabaseUrl,
  isIssuer,
  isOrigin,
  list,
  listenHost,
  whole,
} from '../setting_kinds.js';
import type { Setting } from './setting.js';

export const server = {
  ISSUER: {
    schema: z
      .string()
      .refine(
        isIssuer,
        'must be an https URL without query, fragment, user name or trailing slash; http is for loopback hosts alone',
      ),
    fallback: 'http://localhost:4000',
    about: 'The address people and applications reach this server at; the `iss` of every token.',
  },
  HOST: {
    schema: listenHost.optional(),
    fallback: undefined,
    about:
      'The address to listen on. Default: loopback for a loopback http issuer, all addresses for an https one.',
  },
  PORT: {
    schema: whole(0, 65_535).optional(),
    fallback: undefined,
    about:
      'The port to listen on. Default: the port of the issuer where it is a loopback one or TLS_CERT is set, else 4000, for a proxy.',
  },
  TLS_CERT: {
    schema: z.string().min(1).optional(),
    fallback: undefined,
    about:
      'A PEM file with the certificate of the issuer’s host and those up to its CA: the server then speaks https itself. A renewed one is taken within a minute, or on SIGHUP.',
  },
  TLS_KEY: {
    schema: z.string().min(1).optional(),
    fallback: undefined,
    about: 'The PEM file of its private key.',
  },
  MTLS_PORT: {
    schema: whole(0, 65_535).optional(),
    fallback: undefined,
    about:
      'With TLS_CERT: a further port at which clients are asked for a certificate (RFC 8705), apart from the one that browsers use.',
  },
  MTLS_ORIGIN: {
    schema: z.string().refine(isOrigin, 'must be an origin like https://mtls.id.example.com').optional(),
    fallback: undefined,
    about:
      'The origin of the endpoints that ask for a certificate, as discovery names them. Default: the issuer’s host with MTLS_PORT. For a proxy that asks for certificates at another host or port.',
  },
  CLIENT_CERT_HEADER: {
    schema: z
      .string()
      .toLowerCase()
      .regex(/^[a-z0-9-]+$/, 'must be the name of a header')
      .optional(),
    fallback: undefined,
    about:
      'The header in which a proxy of TRUSTED_PROXIES passes the client’s certificate on: `Client-Cert` (RFC 9440), or another name with URL-encoded PEM, as nginx has it in `$ssl_client_escaped_cert`.',
  },
  CLIENT_CA: {
    schema: z.string().min(1).optional(),
    fallback: undefined,
    about: 'A PEM file with the authorities whose certificates clients may sign in with (`tls_client_auth`).',
  },
  DATABASE_URL: {
    schema: z
      .string()
      .refine(
        isDatabaseUrl,
        'must be sqlite:path, or a URL that starts with postgres:// (special characters of its password are percent-encoded)',
      ),
    fallback: 'sqlite:data/sallyport.sqlite',
    about: '`sqlite:path`, `sqlite:/absolute/path` or `postgres://user:password@host/database`.',
    secret: true,
  },
  KEYS_DIR: {
    schema: z.string().min(1),
    fallback: 'keys/',
    about: 'The folder of the master key, made at the first start with mode 0700.',
  },
  MASTER_KEY: {
    schema: list
      .refine(
        (keys) => keys.length > 0 && keys.every((key) => /^[A-Za-z0-9+/_-]{43}=?$/.test(key)),
        'must be 32 bytes as base64url; several are separated by commas, the first one encrypts',
      )
      .optional(),
    fallback: undefined,
    about:
      'The master key itself, 32 bytes as base64url, in place of a file in KEYS_DIR. Several, separated by commas, while moving to a new one.',
    secret: true,
  },
  TRUSTED_PROXIES: {
    schema: cidrs,
    fallback: '',
    about:
      'Addresses or networks of the proxies whose X-Forwarded-For and CLIENT_CERT_HEADER are believed, separated by commas.',
  },
  OUTBOUND_ALLOWED_HOSTS: {
    schema: hosts,
    fallback: '',
    about:
      'Host names the server may fetch from, and send logout tokens to, although they resolve to private addresses or their URLs are http, separated by commas.',
  },
  OUTBOUND_CA: {
    schema: z.string().min(1).optional(),
    fallback: undefined,
    about:
      'A PEM file with further authorities that the server trusts where it fetches, beside those of Node.js.',
  },
  LOG_LEVEL: {
    schema: z.enum(['silent', 'fatal', 'error', 'warn', 'info', 'debug']),
    fallback: 'info',
    about: '`silent`, `fatal`, `error`, `warn`, `info` or `debug`. The log is JSON lines on standard error.',
  },
} as const satisfies Readonly<Record<string, Setting>>;
