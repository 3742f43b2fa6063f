/** The command line in this process, beside a running server: the same settings and database, opened anew for each command. */
import { Readable } from 'node:stream';
import { onTestFinished, vi } from 'vitest';
import { ensureKeys } from '../../src/actions/keys.js';
import type { Start } from '../../src/cli/start.js';
import { runCli } from '../../src/cli.js';
import type { Config } from '../../src/config.js';
import { openDeps } from '../../src/deps.js';
import type { TestIdp } from './idp.js';

export interface CommandResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

type RunCommand = (...args: readonly string[]) => Promise<CommandResult>;

export interface Commands {
  readonly run: RunCommand;
  /** Runs with --json, expects success and gives what was printed. */
  // biome-ignore lint/suspicious/noExplicitAny: whatever the command printed; the test says what it expects of it
  readonly json: (...args: readonly string[]) => Promise<any>;
  /** What the next command reads from its standard input. */
  type(text: string): void;
}

/** Commands with the settings, the clock and the database of `idp`; `config` may differ, as in another terminal. */
export function commandsOf(idp: TestIdp, config: Config = idp.config): Commands {
  const start: Start = {
    config: () => config,
    async withDeps(work) {
      const { hashing, judge, log } = idp.deps;
      const deps = await openDeps(config, { clock: idp.now, hashing, judge, log });
      try {
        await ensureKeys(deps, deps.clock());
        return await work(deps);
      } finally {
        await deps.close();
      }
    },
  };
  const run: RunCommand = (...args) => captured(args, start);
  return {
    run,
    async json(...args) {
      const { code, out, err } = await run(...args, '--json');
      if (code !== 0) throw new Error(`sallyport ${args.join(' ')}: ${err}`);
      return JSON.parse(out);
    },
    type(text) {
      const { stdin } = process;
      const piped = Object.assign(Readable.from([Buffer.from(text)]), { isTTY: false });
      Object.defineProperty(process, 'stdin', { value: piped, configurable: true });
      onTestFinished(
        () => void Object.defineProperty(process, 'stdin', { value: stdin, configurable: true }),
      );
    },
  };
}

/** What a command line without a server behind it prints: help, usage, settings. */
export function runAlone(config: () => Config, ...args: readonly string[]): Promise<CommandResult> {
  const withDeps = () => Promise.reject(new Error('this command opens the database'));
  return captured(args, { config, withDeps });
}

async function captured(args: readonly string[], start: Start): Promise<CommandResult> {
  const [out, err]: [string[], string[]] = [[], []];
  const keep = (lines: string[]) => (chunk: unknown) => lines.push(String(chunk)) > 0;
  const spies = [
    vi.spyOn(process.stdout, 'write').mockImplementation(keep(out)),
    vi.spyOn(process.stderr, 'write').mockImplementation(keep(err)),
  ];
  try {
    const serve = () => Promise.reject(new Error('main.test.ts serves'));
    const code = await runCli(args, { start, serve, version: '1.2.3' });
    return { code, out: out.join(''), err: err.join('') };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}
