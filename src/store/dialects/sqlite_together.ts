/** Statements of several transactions put into one: a hop to the engine and back costs more than most statements. */
import type { Command, Result, Send } from '../driver.js';

/** The first statement of a member. */
export interface First {
  readonly command: Command;
  readonly want: Parameters<Send>[1];
}

/** One statement in the place of several. */
interface Joint {
  readonly command: Pick<Command, 'sql' | 'values'>;
  /** Whose it is: places among the firsts. */
  readonly places: readonly number[];
  /** What of its rows each of them gets. */
  shares(rows: readonly unknown[]): Iterable<readonly [place: number, Result]>;
}

/** A first statement that can be said together with its like. */
interface Part {
  readonly place: number;
  readonly command: Command;
  readonly together: NonNullable<Command['together']>;
}

/** The first statements that can be said together (statement.ts, `Together`), at most one about each key: a second one is later. */
export function beginTogether(firsts: readonly (First | null)[]): Joint[] {
  const by_text = new Map<string, Map<string, Part>>();
  for (const [place, first] of firsts.entries()) {
    const together = first?.want === 'all' ? first.command.together : undefined;
    if (first === null || together === undefined) continue;
    const { command } = first;
    const alike = by_text.get(command.sql) ?? new Map<string, Part>();
    if (!alike.has(together.key)) alike.set(together.key, { place, command, together });
    by_text.set(command.sql, alike);
  }
  return [...by_text.values()].flatMap((alike) => (alike.size > 1 ? [join([...alike.values()])] : []));
}

function join(parts: readonly Part[]): Joint {
  const [{ command, together }] = parts as [Part]; // two at least
  return {
    command: { sql: command.sql, values: together.bind(parts.map((part) => part.together.values)) },
    places: parts.map((part) => part.place),
    *shares(rows) {
      const found = new Map(rows.map((row) => [together.keyOf(row as object), row])); // rows of this very statement
      for (const part of parts) {
        const row = found.get(part.together.key);
        yield [part.place, { rows: row === undefined ? [] : [row], changes: 0 }];
      }
    },
  };
}

/** Rows added by one statement, at most: some hundred values. */
const append_limit = 16;

/** The same inserts with as many rows as there are. */
export function* appendTogether(appended: readonly Command[]): Generator<Pick<Command, 'sql' | 'values'>> {
  const texts = new Set(appended.map((command) => command.sql));
  for (const sql of texts) {
    const commands = appended.filter((command) => command.sql === sql);
    const [, before, row] = /^(insert into .* values )(\([?, ]+\))$/.exec(sql) ?? [];
    const most = row === undefined ? 1 : append_limit;
    for (let at = 0; at < commands.length; at += most) {
      const rows = commands.slice(at, at + most);
      const text = rows.length === 1 ? sql : `${before}${rows.map(() => row).join(', ')}`;
      yield { sql: text, values: rows.flatMap((command) => command.values) };
    }
  }
}
