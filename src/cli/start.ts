/** What commands share: opening the server's parts for one command, and printing for people or for programs. */
import type { Config } from '../config.js';
import type { Deps } from '../deps.js';

/** Given by main.ts: rank 8 alone opens things. */
export interface Start {
  readonly config: () => Config;
  /** Opens the database, brings its tables up to date, makes missing keys, runs `work`, and closes again. */
  readonly withDeps: <T>(work: (deps: Deps) => Promise<T>) => Promise<T>;
}

/** Prints a value as JSON, or the lines that `human` makes of it. */
export function print<T>(
  value: T,
  options: { readonly json?: boolean | undefined },
  human: (value: T) => string,
): void {
  process.stdout.write(`${options.json === true ? JSON.stringify(value, null, 2) : human(value)}\n`);
}

/** Rows as aligned columns, under their names. */
export function columns(
  rows: readonly Readonly<Record<string, string | number | null>>[],
  none: string,
): string {
  const [first] = rows;
  if (first === undefined) return none;
  const names = Object.keys(first);
  const text = [names, ...rows.map((row) => names.map((name) => String(row[name] ?? '')))];
  const widths = names.map((_, column) => Math.max(...text.map((cells) => cells[column]?.length ?? 0)));
  return text
    .map((cells) =>
      cells
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Whole seconds as a date people read. */
export function dateTime(seconds: number | null): string {
  return seconds === null
    ? ''
    : `${new Date(seconds * 1000).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
