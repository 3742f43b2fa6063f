/**
 * sallyport users import: people of another system, a line of JSON each. What was imported is found there when the same file is
 * read again, so an import that was interrupted, or had faults, is simply run again.
 */
import { closeSync, createReadStream, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { Command, Option } from 'commander';
import {
  type ImportedUser,
  type ImportOutcome,
  importedUser,
  importUsers,
  previewImport,
} from '../actions/import_users.js';
import type { Deps } from '../deps.js';
import { UserError } from '../oauth/errors.js';
import { type FirebaseConfig, parseFirebaseConfig } from './import_formats/firebase_config.js';
import type { ImportContext, ImportFormat } from './import_formats/format.js';
import * as formats from './import_formats/index.js';
import { InputError } from './input_error.js';
import { fromFile } from './input_file.js';
import { type Line, readLines } from './lines.js';
import { type Progress, progressOn } from './progress.js';
import { print, type Start } from './start.js';

/** People added in one transaction. Who signs in meanwhile waits for no more than these. */
const batch_size = 500;

const formatsByName: ReadonlyMap<string, ImportFormat> = new Map(
  Object.values(formats).map((format) => [format.name, format]),
);

interface ImportOptions {
  readonly from: string;
  readonly hashConfig?: string;
  readonly errors?: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

export function importCommand(start: Start): Command {
  return new Command('import')
    .argument('<file>', 'JSON Lines; - reads standard input')
    .description('add people of another system, with the hashes of their passwords')
    .addOption(
      new Option('--from <system>', 'whose export it is')
        .choices([...formatsByName.keys()])
        .default('sallyport'),
    )
    .option('--hash-config <file>', 'Firebase: the parameters of the password hashes')
    .option('--errors <file>', 'write the lines that failed there, as JSON Lines')
    .option('--dry-run', 'check every line, add nobody')
    .option('--json', 'print JSON')
    .action((file: string, options: ImportOptions) =>
      start.withDeps(async (deps) => {
        const result = await importFile(deps, file, options);
        print(result, options, sentenceOf);
        if (result.stopped)
          throw new InputError(`Stopped after line ${result.lines}. The same command goes on from there.`);
        if (result.failed > 0) throw new InputError(`${result.failed} of ${result.lines} lines failed.`);
      }),
    );
}

interface ImportResult {
  lines: number;
  added: number;
  there: number;
  failed: number;
  /** Lines about something else than a person. */
  passed_over: number;
  stopped: boolean;
  readonly dry_run: boolean;
}

function sentenceOf({ added, there, failed, passed_over, dry_run }: ImportResult): string {
  const parts = [
    `${added} ${dry_run ? 'would be added' : 'added'}`,
    `${there} there already`,
    ...(passed_over > 0 ? [`${passed_over} passed over`] : []),
    `${failed} failed`,
  ];
  return `${parts.join(', ')}.`;
}

async function importFile(deps: Deps, file: string, options: ImportOptions): Promise<ImportResult> {
  const format = formatsByName.get(options.from);
  if (format === undefined) throw new InputError(`There is no format ${options.from}.`);
  const firebase = options.hashConfig === undefined ? null : firebaseConfigOf(options.hashConfig);
  const source = file === '-' ? null : file;
  const faults = faultsTo(options.errors);
  const progress = progressOn(
    process.stderr,
    source === null ? null : fromFile(source, () => statSync(source).size),
  );
  const stop = { asked: false };
  const ask = () => {
    stop.asked = true;
  };
  process.once('SIGINT', ask);
  try {
    const lines = readLines(source === null ? process.stdin : createReadStream(source));
    const context = { firebase };
    return await importLines({
      deps,
      lines,
      format,
      context,
      faults,
      progress,
      stop,
      dry_run: options.dryRun === true,
    });
  } finally {
    process.off('SIGINT', ask);
    progress.end();
    faults.close();
  }
}

interface Import {
  readonly deps: Deps;
  readonly lines: AsyncIterable<Line>;
  readonly format: ImportFormat;
  readonly context: ImportContext;
  readonly faults: Faults;
  readonly progress: Progress;
  /** Set by Ctrl-C: what is in hand is finished. */
  readonly stop: { readonly asked: boolean };
  readonly dry_run: boolean;
}

async function importLines(work: Import): Promise<ImportResult> {
  const { deps, faults, progress, stop, dry_run } = work;
  const result: ImportResult = {
    lines: 0,
    added: 0,
    there: 0,
    failed: 0,
    passed_over: 0,
    stopped: false,
    dry_run,
  };
  const batch: { number: number; user: ImportedUser }[] = [];
  const now = deps.clock();

  function count(number: number, outcome: ImportOutcome): void {
    if (outcome instanceof UserError) {
      result.failed += 1;
      faults.tell(number, outcome.message);
    } else result[outcome] += 1;
  }

  async function flush(): Promise<void> {
    const users = batch.map(({ user }) => user);
    const outcomes = dry_run ? await previewImport(deps, users) : await importUsers(deps, users, now);
    for (const [i, outcome] of outcomes.entries()) count(batch[i]?.number ?? 0, outcome);
    batch.length = 0;
  }

  for await (const line of work.lines) {
    const read = readUser(work, line, now);
    if (read === null) result.passed_over += 1;
    else if (read instanceof UserError) count(line.number, read);
    else batch.push({ number: line.number, user: read });
    result.lines = line.number;
    result.stopped = stop.asked;
    if (stop.asked) break;
    if (batch.length < batch_size) continue;
    await flush();
    progress.show(line.offset, line.number);
  }
  if (batch.length > 0) await flush();
  return result;
}

/** The person of a line; null where it is empty or about something else; else what is wrong with it. */
function readUser({ format, context }: Import, { text }: Line, now: number): ImportedUser | UserError | null {
  if (text !== null && text.trim() === '') return null;
  try {
    const input = format.read(parseJson(text), context);
    return input === null ? null : importedUser(input, now);
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
}

function parseJson(text: string | null): unknown {
  const wrong = (faults: string) =>
    new UserError('invalid_input', { key: 'admin.faults', values: { faults } });
  if (text === null) throw wrong('line: is not UTF-8, or longer than a mebibyte');
  try {
    return JSON.parse(text);
  } catch {
    throw wrong('line: is not JSON. There must be a person on each line (jq -c makes lines)');
  }
}

function firebaseConfigOf(path: string): FirebaseConfig {
  return parseFirebaseConfig(fromFile(path, () => readFileSync(path, 'utf8')));
}

interface Faults {
  /** Tells the operator why a line was not taken. */
  tell(line: number, error: string): void;
  close(): void;
}

/** To a file as JSON Lines; else to standard error, a line each. */
function faultsTo(path: string | undefined): Faults {
  if (path === undefined)
    return { tell: (line, error) => void process.stderr.write(`line ${line}: ${error}\n`), close: () => {} };
  const file = fromFile(path, () => openSync(path, 'w', 0o600));
  return {
    tell: (line, error) => void writeSync(file, `${JSON.stringify({ line, error })}\n`),
    close: () => closeSync(file),
  };
}
