/**
 * The real program, killed with SIGKILL by itself at one exact step: a call of node:fs or a statement to SQLite. What comes after is
 * never begun; what came before is done as far as the operating system did it.
 */
import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { newFolder } from './folder.js';
import { Program, type ProgramOptions } from './program.js';

export interface Step {
  /** The beginning of the statement, or the name of the function. */
  readonly step: string;
  /** The how many-th of those; the first if it is left out. */
  readonly nth?: number;
  /** Begins the step all the same, so that it dies somewhere in it. */
  readonly during?: boolean;
}

/** Loaded before the program: patches what it is about to import. */
function preload({ step, nth = 1, during = false }: Step): string {
  const sqlite3 = createRequire(import.meta.url).resolve('sqlite3');
  return `
    const fs = require('node:fs');
    const { Database, Statement } = require(${JSON.stringify(sqlite3)});
    const texts = new WeakMap();
    let left = ${nth};
    function patch(object, name, stepOf) {
      const original = object[name];
      object[name] = function (...args) {
        const dies = stepOf.call(this, args)?.startsWith(${JSON.stringify(step)}) && --left === 0;
        if (dies && !${during}) process.kill(process.pid, 'SIGKILL');
        const result = original.apply(this, args);
        if (dies) process.kill(process.pid, 'SIGKILL');
        return result;
      };
    }
    const prepare = Database.prototype.prepare;
    Database.prototype.prepare = function (text, ...rest) {
      const statement = prepare.call(this, text, ...rest);
      texts.set(statement, text);
      return statement;
    };
    for (const name of ['run', 'all']) patch(Statement.prototype, name, function () { return texts.get(this); });
    for (const name of ['openSync', 'writeSync', 'fchmodSync', 'fsyncSync', 'linkSync', 'unlinkSync'])
      patch(fs, name, () => name);
    patch(process.stdout, 'write', () => 'print');
    require('node:module').syncBuiltinESMExports();
  `;
}

/** Runs it until it dies at this step. Gives what it had printed; throws if it came to its end. */
export async function runUntil(
  step: Step,
  main: string,
  args: readonly string[],
  options: ProgramOptions,
): Promise<string> {
  const path = join(await newFolder(), 'preload.cjs');
  await writeFile(path, preload(step));
  const { code, out, err } = await new Program(main, args, { ...options, node_options: ['--require', path] })
    .exit;
  if (code !== null) throw new Error(`it came to its end with ${code}: ${out}${err}`);
  return out;
}
