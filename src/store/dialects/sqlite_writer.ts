/**
 * The one writer of an SQLite file, with group commit: transactions that wait while others run join them, one strictly
 * after another, and are committed once. So a durable commit (synchronous=FULL) costs each of them a fraction of a
 * disk flush. The rules are those of decisions 2, but for one: a savepoint for each member is one statement in four, and
 * hardly ever needed. So a group runs without; if a member that wrote fails, the whole group is undone and run again, with
 * savepoints. What a member returned or threw is delivered after COMMIT alone.
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

/** Groups that get savepoints after one was undone: who makes transactions fail on purpose has each hundredth run twice, no more. */
const careful_groups = 100;

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

/** The state of the transaction that a group shares. */
interface Group {
  /** Each member gets a savepoint before its first write. */
  readonly careful: boolean;
  /** Some member wrote, and it was not undone. */
  dirty: boolean;
  /** Rows to add before the commit. */
  readonly appended: Command[];
  /** An error after which SQLite has undone the whole transaction: nothing more may be sent but ROLLBACK. */
  broken: { readonly error: unknown } | null;
}

/**
 * Begins, runs members of the queue until it is empty or the group is full, commits, and settles them. False if it was undone
 * instead, for want of savepoints: then its members are in the queue again, in their order.
 */
async function runGroup(connection: SqliteConnection, queue: Member[], careful: boolean): Promise<boolean> {
  const ran: { member: Member; outcome: Outcome }[] = [];
  const settle = (failure?: Outcome) => {
    for (const { member, outcome } of ran) member.settle(failure ?? outcome);
  };

  try {
    await connection.run('begin immediate');
  } catch (error) {
    for (const member of queue.splice(0, group_limit)) member.settle({ error });
    return true;
  }

  const group: Group = { careful, dirty: false, appended: [], broken: null };
  while (ran.length < group_limit) {
    const member = queue.shift();
    if (!member) break;
    const { outcome, undo } = await runMember(connection, group, member);
    ran.push({ member, outcome });
    if (undo === 'nothing' && !group.broken) continue;
    await rollBack(connection);
    if (undo === 'group') {
      queue.unshift(...ran.map((one) => one.member));
      return false;
    }
    settle(group.broken ?? undefined);
    return true;
  }

  try {
    for (const { sql, values } of together(group.appended)) await connection.run(sql, values);
    await connection.run('commit');
  } catch (error) {
    await rollBack(connection);
    if (group.appended.length > 0 && hasCode(error, 'SQLITE_CONSTRAINT')) {
      queue.unshift(...ran.map((one) => one.member)); // to find out whose it is
      return false;
    }
    settle({ error });
    return true;
  }
  settle();
  return true;
}

/** Rows added by one statement, at most: some hundred values. */
const append_limit = 16;

/** The same inserts with as many rows as there are: one hop to the engine in the place of many. */
function* together(appended: readonly Command[]): Generator<Pick<Command, 'sql' | 'values'>> {
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

/** Undoes everything. After some errors SQLite has done so itself, and then this fails: nothing is left to do. */
async function rollBack(connection: SqliteConnection): Promise<void> {
  await connection.run('rollback').catch(() => undefined);
}

interface Ran {
  readonly outcome: Outcome;
  /**
   * What undoing the transaction undoes, where it must be: the `member` that failed, since all its writes are that one's; the `group`,
   * since it has other writes and no savepoint.
   */
  readonly undo: 'nothing' | 'member' | 'group';
}

/**
 * Runs one member. Its savepoint is opened before its first write, in a careful group and only if others wrote before it;
 * else undoing it is undoing the transaction, in which there is nothing else.
 */
async function runMember(connection: SqliteConnection, group: Group, member: Member): Promise<Ran> {
  const alone = !group.dirty;
  let wrote = false;

  const send: Send = async ({ sql, values, reads }, want) => {
    if (group.broken) throw group.broken.error;
    if (want === 'append' && !group.careful) {
      wrote = true;
      group.appended.push({ sql, values, reads });
      return { rows: [], changes: 0 };
    }
    try {
      if (!reads && !wrote && !alone && member.undoable && group.careful)
        await connection.run('savepoint member');
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
  if (group.broken || !wrote) return { outcome, undo: 'nothing' };
  if (!('error' in outcome)) group.dirty = true;
  else if (member.undoable && alone) return { outcome, undo: 'member' };
  else if (member.undoable && !group.careful) return { outcome, undo: 'group' };
  else if (member.undoable) await rollBackMember(connection, group);
  return { outcome, undo: 'nothing' };
}

async function rollBackMember(connection: SqliteConnection, group: Group): Promise<void> {
  try {
    await connection.run('rollback to member');
  } catch (error) {
    group.broken = { error };
  }
}
