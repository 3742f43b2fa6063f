/** sallyport serve: the identity server. */
import { fstatSync } from 'node:fs';
import { isClaimed, offerClaim } from '../actions/setup.js';
import type { Config } from '../config.js';
import type { Deps } from '../deps.js';
import { aboutMail } from '../mailing.js';

/** Those that were really taken. */
interface Ports {
  readonly port: number;
  readonly mtls_port: number | undefined;
}

/** Tells the operator where the server is and, while nobody has claimed it, the one-time link to do so. */
export async function announce(deps: Pick<Deps, 'clock' | 'config' | 'db'>, ports: Ports): Promise<void> {
  const { config } = deps;
  process.stdout.write(
    `\n  ${config.PRODUCT_NAME} serves ${config.ISSUER}\n  listening on ${listeningOn(config, ports)}\n\n`,
  );
  if (config.mail !== 'smtp') process.stdout.write(`  ${aboutMail(config)}\n\n`);
  if (await isClaimed(deps)) return;
  const link = await offerClaim(deps, deps.clock());
  if (link === null) return;
  if (isRegularFile(1)) {
    process.stdout.write(
      '  Nobody has claimed this server yet. The link to do so is shown on a terminal only, never in a file.\n',
    );
    process.stdout.write(
      '  Start it in a terminal, or say: sallyport users add you@example.com --role admin\n\n',
    );
    return;
  }
  process.stdout.write(
    `  Nobody has claimed this server yet. Open this link once, within 30 minutes, to become its administrator:\n\n  ${link}\n\n`,
  );
}

function listeningOn({ hosts }: Pick<Config, 'hosts'>, { port, mtls_port }: Ports): string {
  const on = (at: number) =>
    hosts.map((host) => `${host.includes(':') ? `[${host}]` : host}:${at}`).join(' and ');
  return mtls_port === undefined ? on(port) : `${on(port)}, for client certificates on ${on(mtls_port)}`;
}

/** A link with a secret goes to a terminal or a pipe, never into a log file (decisions 15). */
function isRegularFile(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isFile();
  } catch {
    return false; // closed: then nothing is written anywhere
  }
}
