/**
 * The one writer of an SQLite file, with group commit: transactions that wait while others run join them, one strictly
 * after another, and are committed once. So a durable commit (synchronous=FULL) costs each of them a fraction of a
 * disk flush. The rules are those of decisions 2; what a member returned or threw is delivered after COMMIT alone.
 */
import type { Command, Result, Send } from '../driver.js';
import { hasCode, type SqliteConnection } from './sqlite_connection.js';

export interface Writer {
  /** One statement, atomic by itself. */
  run(command: Command): Promise<Result>;
  transaction<T>(work: (send: Send) => Promise<T>): Promise<T>;
}

/** Members of one group at most: bounds how long the first of them waits for its commit. */
const group_limit = 64;

/** A transaction that waits or runs. `settle` is called once, when its fate is on disk. */
interface Member {
  readonly work: (send: Send) => Promise<unknown>;
  /** False for a single statement, which undoes itself when it fails. */
  readonly undoable: boolean;
  settle(outcome: Outcome): void;
}

type Outcome = { readonly value: unknown } | { readonly error: unknown };

/** Serves the members of one connection, for ever, group by group. */
export function openWriter(connection: SqliteConnection): Writer {
  const queue: Member[] = [];
  let serving = false;

  async function serve(): Promise<void> {
    if (serving) return;
    serving = true;
    while (queue.length > 0) await runGroup(connection, queue);
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

/** The state of the transaction that a group shares. */
interface Group {
  /** Some member wrote, and it was not undone. */
  dirty: boolean;
  /** An error after which SQLite has undone the whole transaction: nothing more may be sent but ROLLBACK. */
  broken: { readonly error: unknown } | null;
}

/** Begins, runs members of the queue until it is empty or the group is full, commits, and settles them. */
async function runGroup(connection: SqliteConnection, queue: Member[]): Promise<void> {
  const ran: { member: Member; outcome: Outcome }[] = [];
  const settle = (failure?: Outcome) => {
    for (const { member, outcome } of ran) member.settle(failure ?? outcome);
  };

  try {
    await connection.run('begin immediate');
  } catch (error) {
    for (const member of queue.splice(0, group_limit)) member.settle({ error });
    return;
  }

  const group: Group = { dirty: false, broken: null };
  while (ran.length < group_limit) {
    const member = queue.shift();
    if (!member) break;
    const { outcome, undo_all } = await runMember(connection, group, member);
    ran.push({ member, outcome });
    if (group.broken) {
      await rollBack(connection);
      return settle(group.broken);
    }
    if (undo_all) {
      await rollBack(connection);
      return settle();
    }
  }

  try {
    await connection.run('commit');
  } catch (error) {
    await rollBack(connection);
    return settle({ error });
  }
  settle();
}

/** Undoes everything. After some errors SQLite has done so itself, and then this fails: nothing is left to do. */
async function rollBack(connection: SqliteConnection): Promise<void> {
  await connection.run('rollback').catch(() => undefined);
}

interface Ran {
  readonly outcome: Outcome;
  /** The member failed after the group's first writes, all its own: the transaction itself is to be undone. */
  readonly undo_all: boolean;
}

/**
 * Runs one member. Its savepoint is opened before its first write, and only if others wrote before it; else undoing
 * it is undoing the transaction, in which there is nothing else.
 */
async function runMember(connection: SqliteConnection, group: Group, member: Member): Promise<Ran> {
  const alone = !group.dirty;
  let wrote = false;

  const send: Send = async ({ sql, values, reads }, want) => {
    if (group.broken) throw group.broken.error;
    try {
      if (!reads && !wrote && !alone && member.undoable) await connection.run('savepoint member');
      if (!reads) wrote = true;
      return await (want === 'all' ? connection.all(sql, values) : connection.run(sql, values));
    } catch (error) {
      // After a constraint error SQLite has undone the statement alone; after any other one maybe everything.
      if (!hasCode(error, 'SQLITE_CONSTRAINT')) group.broken = { error };
      throw error;
    }
  };

  const outcome = await member.work(send).then(
    (value): Outcome => ({ value }),
    (error: unknown): Outcome => ({ error }),
  );
  if (group.broken || !wrote) return { outcome, undo_all: false };
  if (!('error' in outcome)) group.dirty = true;
  else if (member.undoable && alone) return { outcome, undo_all: true };
  else if (member.undoable) await rollBackMember(connection, group);
  return { outcome, undo_all: false };
}

async function rollBackMember(connection: SqliteConnection, group: Group): Promise<void> {
  try {
    await connection.run('rollback to member');
  } catch (error) {
    group.broken = { error };
  }
}
