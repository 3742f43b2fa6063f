/** Where the demo listens: four ports, each of which the environment can move. 0 is any free one. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

/** The variable that moves each port, and the port without it. */
export const portSettings = {
  server: { variable: 'DEMO_PORT', fallback: 4000 },
  app_a: { variable: 'DEMO_APP_A_PORT', fallback: 4001 },
  app_b: { variable: 'DEMO_APP_B_PORT', fallback: 4002 },
  api: { variable: 'DEMO_API_PORT', fallback: 4003 },
} as const;

export type Place = keyof typeof portSettings;
export type Ports = Readonly<Record<Place, number>>;
export type Urls = Readonly<Record<Place, string>>;

/** A sentence for whoever started the demo. */
export class DemoError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'DemoError';
  }
}

/** The ports from the environment. Throws DemoError naming the variable that is no port. */
export function readPorts(env: Readonly<Record<string, string | undefined>>): Ports {
  return {
    server: portOf(env, 'server'),
    app_a: portOf(env, 'app_a'),
    app_b: portOf(env, 'app_b'),
    api: portOf(env, 'api'),
  };
}

function portOf(env: Readonly<Record<string, string | undefined>>, place: Place): number {
  const { variable, fallback } = portSettings[place];
  const text = env[variable] || String(fallback);
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535)
    throw new DemoError(`${variable} must be a port, 0 to 65535; it is ${text}.`);
  return Number(text);
}

/** Puts a free port in the place of every 0: addresses are registered before anything listens on them. */
export async function choosePorts(ports: Ports): Promise<Ports> {
  const probes = Object.entries(ports).map(([place, port]) => ({ place, port, probe: createServer() }));
  const unset = probes.filter(({ port }) => port === 0);
  for (const { probe } of unset) await once(probe.listen(0, '127.0.0.1'), 'listening'); // all at once, so that all differ
  const chosen = unset.map(({ place, probe }) => [place, (probe.address() as AddressInfo).port] as const); // a TCP server has one
  for (const { probe } of unset) await once(probe.close(), 'close');
  return { ...ports, ...Object.fromEntries(chosen) };
}

/**
 * Three different sites, as a browser sees them: localhost, 127.0.0.1 and app-b.localhost share no cookies. The API shares the
 * host of App A, which does not matter: no browser goes there.
 */
export function urlsOf(ports: Ports): Urls {
  return {
    server: origin('localhost', ports.server),
    app_a: origin('127.0.0.1', ports.app_a),
    app_b: origin('app-b.localhost', ports.app_b),
    api: origin('127.0.0.1', ports.api),
  };
}

/** Without a port that is the default of http, as issuers and redirect URIs are compared as text. */
function origin(host: string, port: number): string {
  return new URL(`http://${host}:${port}`).origin;
}
