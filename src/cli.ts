/** The command line: every command of `sallyport`, with --help and --json. Exits 0, 1 (refused, with a sentence) or 2 (usage). */
import { Command, CommanderError } from 'commander';
import { brandingCommand } from './cli/branding.js';
import { clientsCommand } from './cli/clients.js';
import { configCommand } from './cli/config.js';
import { keysCommand } from './cli/keys.js';
import { migrateCommand } from './cli/migrate.js';
import { providersCommand } from './cli/providers.js';
import { resourcesCommand } from './cli/resources.js';
import { sessionsCommand } from './cli/sessions.js';
import type { Start } from './cli/start.js';
import { usersCommand } from './cli/users.js';
import { ConfigError } from './config.js';
import { MasterKeyError } from './keys/master_key.js';
import { OAuthError, UserError } from './oauth/errors.js';

export interface CommandLine {
  /** Opens what a command works with, and serves. Given by main.ts. */
  readonly start: Start;
  readonly serve: () => Promise<void>;
  readonly version: string;
}

/** Runs one command. Returns the exit code; messages for people go to standard error. */
export async function runCli(args: readonly string[], line: CommandLine): Promise<number> {
  const program = createProgram(line);
  try {
    await program.parseAsync([...args], { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    process.stderr.write(`${sentence(error)}\n`);
    return 1;
  }
}

function createProgram(line: CommandLine): Command {
  const program = new Command('sallyport')
    .description('A self-hosted single sign-on identity provider.')
    .version(line.version);
  program.exitOverride().showHelpAfterError('(--help tells more)');
  program.command('serve').description('run the identity server').action(line.serve);
  for (const add of [
    migrateCommand,
    usersCommand,
    clientsCommand,
    resourcesCommand,
    providersCommand,
    keysCommand,
    sessionsCommand,
    brandingCommand,
    configCommand,
  ]) {
    program.addCommand(add(line.start));
  }
  for (const command of [program, ...program.commands]) inheritExit(command);
  return program;
}

function inheritExit(command: Command): void {
  for (const child of command.commands) {
    child.exitOverride().showHelpAfterError('(--help tells more)');
    inheritExit(child);
  }
}

function sentence(error: unknown): string {
  if (error instanceof ConfigError)
    return ['The settings are not right:', ...error.problems.map((problem) => `  ${problem}`)].join('\n');
  if (error instanceof OAuthError) return error.description;
  if (error instanceof UserError || error instanceof MasterKeyError) return error.message;
  return error instanceof Error ? error.message : String(error);
}
