/** The real program: built from this source into a folder of its own, run as a process with a folder of its own. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, inject, onTestFinished } from 'vitest';

const execute = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Compiles src/ once for all tests of a run, and puts beside it what the program finds by its own path. Gives the path of main.js. Who
 * comes first compiles; the others wait.
 */
export async function buildProgram(): Promise<string> {
  const folder = join(inject('program_folder'), 'program');
  const built = join(folder, 'dist', 'main.js');
  const mine = () =>
    mkdir(folder).then(
      () => true,
      () => false,
    ); // one makes it
  while (!existsSync(join(folder, 'done'))) {
    if (await mine()) await compile(folder);
    else await wait(50);
  }
  return built;
}

async function compile(folder: string): Promise<void> {
  try {
    for (const part of ['migrations', 'views', 'docs', 'LICENSE', 'package.json'])
      await symlink(join(root, part), join(folder, part), 'junction');
    const flags = ['--noCheck', '--incremental', 'false', '--declaration', 'false', '--sourceMap', 'false'];
    const project = ['-p', 'tsconfig.build.json', '--outDir', join(folder, 'dist')];
    await execute(process.execPath, [await tsc(), ...project, ...flags], { cwd: root });
    await writeFile(join(folder, 'done'), '');
  } catch (error) {
    await rm(folder, { recursive: true, force: true }); // another may try
    throw error;
  }
}

/** The path of the compiler. */
export async function tsc(): Promise<string> {
  const path = createRequire(import.meta.url).resolve('typescript/package.json');
  const { bin } = JSON.parse(await readFile(path, 'utf8')) as { bin: { tsc: string } };
  return join(dirname(path), bin.tsc);
}

export interface ProgramOptions {
  /** Settings without their prefix. */
  readonly settings?: Readonly<Record<string, string>>;
  /** The working folder: where data/ and keys/ are made. */
  readonly cwd: string;
  readonly input?: string | Buffer;
  readonly node_options?: readonly string[];
  /** A file descriptor in place of a pipe. */
  readonly stdout?: number;
  /** The same for standard error. */
  readonly stderr?: number;
}

export interface Exit {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A process that runs; it is killed when the test is over. */
export class Program {
  readonly child: ChildProcess;
  readonly exit: Promise<Exit>;
  out = '';
  err = '';

  constructor(main: string, args: readonly string[], options: ProgramOptions) {
    const { settings = {}, cwd, input, stdout, stderr, node_options = [] } = options;
    const env = {
      PATH: process.env.PATH,
      ...Object.fromEntries(Object.entries(settings).map(([name, value]) => [`SALLYPORT_${name}`, value])),
    };
    const child = spawn(process.execPath, [...node_options, main, ...args], {
      cwd,
      env,
      stdio: ['pipe', stdout ?? 'pipe', stderr ?? 'pipe'],
    });
    child.stdout?.on('data', (chunk) => {
      this.out += String(chunk);
    });
    child.stderr?.on('data', (chunk) => {
      this.err += String(chunk);
    });
    child.stdin?.end(input ?? '');
    this.child = child;
    this.exit = once(child, 'close').then(([code]) => ({ code, out: this.out, err: this.err }));
    onTestFinished(() => void child.kill('SIGKILL'));
  }

  /** Waits until it has printed this on standard output. Fails with all that it said if it ends before. */
  async said(text: string | RegExp): Promise<string> {
    const { stdout } = this.child;
    while (this.out.search(text) < 0) {
      const ended = await Promise.race([this.exit, stdout && once(stdout, 'data').then(() => null)]);
      if (ended) expect(this.out + this.err, 'the program ended').toMatch(text);
    }
    return this.out;
  }
}

/** Runs it to its end. */
export function runProgram(main: string, args: readonly string[], options: ProgramOptions): Promise<Exit> {
  return new Program(main, args, options).exit;
}
