/**
 * The one writer of an SQLite file, with group commit: transactions that wait while others run join them, one after another, and are
 * committed once. So a durable commit (synchronous=FULL) costs each of them a fraction of a disk flush. How a group runs is in
 * sqlite_group.ts.
 */
import type { Command, Result, Send } from '../driver.js';
import type { SqliteConnection } from './sqlite_connection.js';
import { type Member, type Outcome, runGroup } from './sqlite_group.js';

export interface Writer {
  /** One statement, atomic by itself. */
  run(command: Command): Promise<Result>;
  transaction<T>(work: (send: Send) => Promise<T>): Promise<T>;
}

/** Groups that get savepoints after one was undone: who makes transactions fail on purpose has each hundredth run twice, no more. */
const careful_groups = 100;

/** Serves the members of one connection, for ever, group by group. */
export function openWriter(connection: SqliteConnection): Writer {
  const queue: Member[] = [];
  let serving = false;
  let careful = 0;

  async function serve(): Promise<void> {
    if (serving) return;
    serving = true;
    while (queue.length > 0) {
      const done = await runGroup(connection, queue, careful > 0);
      careful = done ? Math.max(0, careful - 1) : careful_groups;
    }
    serving = false;
  }

  function enqueue<T>(work: (send: Send) => Promise<T>, undoable: boolean): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const settle = (outcome: Outcome) =>
        'error' in outcome ? reject(outcome.error) : resolve(outcome.value as T); // what this `work` returned
      queue.push({ work, undoable, settle });
      void serve();
    });
  }

  return {
    run: (command) => enqueue((send) => send(command, 'run'), false),
    transaction: (work) => enqueue(work, true),
  };
}
