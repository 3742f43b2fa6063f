/**
 * The configuration: what the settings of an environment say, and what follows from them. Pure: reads what it is given, gathers
 * all problems, throws once.
 */
import { availableParallelism } from 'node:os';
import { type Mailing, mailingOf } from './mailing.js';
import { isLoopbackHost } from './oauth/redirect_uri.js';
import { prefix, type Setting, type SettingName, settingNames, settings, type Values } from './settings.js';
import { type Transport, transportOf } from './transport.js';

/** The settings, and what follows from them. */
export interface Config extends Values, Transport, Mailing {
  /** Whether the issuer is a loopback http address: what is relaxed for development follows from this alone (design §1.9). */
  readonly loopback: boolean;
  /** The path of the issuer without a trailing slash: '' or '/id'. */
  readonly base: string;
  readonly hosts: readonly string[];
  readonly port: number;
  readonly hashing: { readonly slots: number; readonly queue: number };
  /** Where each setting came from, for `sallyport config`. */
  readonly sources: Readonly<Record<SettingName, 'default' | 'environment' | 'file'>>;
}

export class ConfigError extends Error {
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the settings from an environment. `readFile` gives the text of a file, for settings as SALLYPORT_…_FILE. Throws
 * ConfigError with all problems at once, each naming its variable. The result is frozen.
 */
export function readConfig(env: Environment, readFile: (path: string) => string): Config {
  const problems: string[] = [...unknownNames(env)];
  const values: Record<string, unknown> = {};
  const sources: Record<string, 'default' | 'environment' | 'file'> = {};
  for (const name of settingNames()) {
    const raw = rawValue(name, env, readFile, problems);
    const parsed = settings[name].schema.safeParse(raw.text);
    if (!parsed.success)
      problems.push(`${prefix}${name} ${parsed.error.issues.map((issue) => issue.message).join('; ')}`);
    values[name] = parsed.data;
    sources[name] = raw.source;
  }
  if (problems.length > 0) throw new ConfigError(problems);
  // Every name of the table was parsed by its own schema.
  const parsed = values as unknown as Values;
  const config = derive(parsed, sources as Config['sources'], problems, readFile);
  if (problems.length > 0) throw new ConfigError(problems);
  return deepFreeze(config);
}

function unknownNames(env: Environment): string[] {
  const known = new Set<string>(settingNames().flatMap((name) => [prefix + name, `${prefix + name}_FILE`]));
  const unknown = Object.keys(env).filter((name) => name.startsWith(prefix) && !known.has(name));
  return unknown.map((name) => `${name} is not a setting. 'sallyport config' lists those there are.`);
}

function rawValue(
  name: SettingName,
  env: Environment,
  readFile: (path: string) => string,
  problems: string[],
) {
  const setting: Setting = settings[name];
  const text = env[prefix + name];
  const path = env[`${prefix + name}_FILE`];
  if (path !== undefined && setting.secret !== true)
    problems.push(`${prefix + name}_FILE is not a setting: ${name} is no secret`);
  if (text !== undefined && path !== undefined)
    problems.push(`${prefix + name} and ${prefix + name}_FILE are both set`);
  if (path !== undefined) {
    try {
      return { text: readFile(path).trim(), source: 'file' as const };
    } catch (cause) {
      problems.push(
        `${prefix + name}_FILE: ${path} cannot be read (${cause instanceof Error ? cause.message : 'unknown'})`,
      );
      return { text: setting.fallback, source: 'file' as const };
    }
  }
  if (text === undefined || text.trim() === '') return { text: setting.fallback, source: 'default' as const };
  return { text, source: 'environment' as const };
}

function derive(
  values: Values,
  sources: Config['sources'],
  problems: string[],
  readFile: (path: string) => string,
): Config {
  const issuer = new URL(values.ISSUER);
  const loopback = issuer.protocol === 'http:';
  const transport = transportOf(values, readFile, problems);
  const own_port = Number(issuer.port || (loopback ? 80 : 443));
  const port = values.PORT ?? (loopback || transport.tls !== undefined ? own_port : 4000);
  if (values.MTLS_PORT === port && port !== 0)
    problems.push(`${prefix}MTLS_PORT must be another port than that of browsers, ${port}`);
  if (loopback && values.HOST !== undefined && !isLoopbackHost(bracketed(values.HOST))) {
    problems.push(
      `${prefix}HOST ${values.HOST} would offer a plain http server to other machines; use an https issuer`,
    );
  }
  if (values.SESSION_IDLE_SECONDS > values.SESSION_MAX_SECONDS) {
    problems.push(`${prefix}SESSION_IDLE_SECONDS must not be longer than ${prefix}SESSION_MAX_SECONDS`);
  }
  const service = values.BREACHED_PASSWORDS_URL && new URL(values.BREACHED_PASSWORDS_URL);
  if (service && !isReachable(service, loopback, values)) {
    problems.push(
      `${prefix}BREACHED_PASSWORDS_URL must be https, or its host one of ${prefix}OUTBOUND_ALLOWED_HOSTS`,
    );
  }
  const slots = values.HASHING_SLOTS ?? availableParallelism();
  return {
    ...values,
    loopback,
    base: issuer.pathname.replace(/\/$/, ''),
    hosts: values.HOST !== undefined ? [values.HOST] : loopback ? ['127.0.0.1', '::1'] : ['::'],
    port,
    ...transport,
    ...mailingOf(values, problems),
    hashing: { slots, queue: values.HASHING_QUEUE ?? 64 * slots },
    sources,
  };
}

/** Whether the outbound gate lets this scheme through (limits/outbound_address.ts). */
function isReachable({ protocol, hostname }: URL, loopback: boolean, values: Values): boolean {
  const plain = values.OUTBOUND_ALLOWED_HOSTS.includes(hostname) || (loopback && isLoopbackHost(hostname));
  return protocol === 'https:' || plain;
}

function bracketed(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}

function deepFreeze<T extends object>(value: T): T {
  for (const member of Object.values(value)) {
    if (typeof member === 'object' && member !== null) deepFreeze(member);
  }
  return Object.freeze(value);
}
