/**
 * A group of transactions that are committed once. The rules are those of decisions 2, with two departures that save most of the hops
 * to the engine and back, each of which costs more than the statement it carries:
 *
 * - A savepoint for each member is one statement in four, and hardly ever needed. So a group runs without; if a member that wrote fails,
 *   the whole group is undone and run again carefully, with savepoints.
 * - Members come in rounds. All of a round begin and stop at their first statement. Those that say the same there (statement.ts,
 *   `Together`) say it at once, in one statement. From then on they run strictly one after another.
 *
 * What a member returned or threw is delivered after COMMIT alone.
 */
import type { Command, Result, Send } from '../driver.js';
import { hasCode, type SqliteConnection } from './sqlite_connection.js';
import { appendTogether, beginTogether, type First } from './sqlite_together.js';

/** A transaction that waits or runs. `settle` is called once, when its fate is on disk. */
export interface Member {
  readonly work: (send: Send) => Promise<unknown>;
  /** False for a single statement, which undoes itself when it fails. */
  readonly undoable: boolean;
  settle(outcome: Outcome): void;
}

export type Outcome = { readonly value: unknown } | { readonly error: unknown };

/** Members of one group at most: bounds how long the first of them waits for its commit. */
const group_limit = 64;

/** The state of the transaction that a group shares. */
interface Group {
  readonly connection: SqliteConnection;
  /** Each member gets a savepoint before its first write, and nothing is said together. */
  readonly careful: boolean;
  /** Members that wrote and were not undone. */
  writers: number;
  /** Rows to add before the commit. */
  readonly appended: Command[];
  /** An error after which SQLite has undone the whole transaction: nothing more may be sent but ROLLBACK. */
  broken: { readonly error: unknown } | null;
}

interface Done {
  readonly member: Member;
  readonly outcome: Outcome;
}

/**
 * Begins, runs members of the queue until it is empty or the group is full, commits, and settles them. False if it was undone
 * instead, for want of savepoints: then its members are in the queue again, in their order.
 */
export async function runGroup(
  connection: SqliteConnection,
  queue: Member[],
  careful: boolean,
): Promise<boolean> {
  try {
    await connection.run('begin immediate');
  } catch (error) {
    for (const member of queue.splice(0, group_limit)) member.settle({ error });
    return true;
  }

  const done: Done[] = [];
  const settle = (failure?: Outcome) => {
    for (const { member, outcome } of done) member.settle(failure ?? outcome);
  };
  const group: Group = { connection, careful, writers: 0, appended: [], broken: null };
  while (queue.length > 0 && done.length < group_limit) {
    const { left, undo } = await runRound(group, queue.splice(0, group_limit - done.length), done);
    queue.unshift(...left);
    if (undo === 'nothing') continue;
    await rollBack(connection);
    if (undo === 'group') queue.unshift(...done.map((one) => one.member));
    else settle(group.broken ?? undefined);
    return undo !== 'group';
  }

  try {
    for (const { sql, values } of appendTogether(group.appended)) await connection.run(sql, values);
    await connection.run('commit');
  } catch (error) {
    await rollBack(connection);
    if (group.appended.length > 0 && hasCode(error, 'SQLITE_CONSTRAINT')) {
      queue.unshift(...done.map((one) => one.member)); // to find out whose it is
      return false;
    }
    settle({ error });
    return true;
  }
  settle();
  return true;
}

/**
 * What undoing the transaction undoes, where it must be: `done`, whose fate is settled by it; the `group`, which has to run again
 * since it has no savepoints.
 */
type Undo = 'nothing' | 'done' | 'group';

/** Runs a round and adds it to `done`. What is `left` has not run, or nothing of it is left. */
async function runRound(
  group: Group,
  members: readonly Member[],
  done: Done[],
): Promise<{ readonly left: readonly Member[]; readonly undo: Undo }> {
  const round = members.map((member) => begin(group, member));
  const firsts = await Promise.all(round.map((one) => one.first));
  const stop = (undo: Undo, from: readonly Begun[]) => {
    for (const one of from) one.abandon();
    return { left: from.map((one) => one.member), undo };
  };

  const joint = group.careful ? [] : beginTogether(firsts);
  try {
    for (const { command, shares } of joint) {
      const { rows } = await group.connection.all(command.sql, command.values);
      for (const [at, own] of shares(rows)) round[at]?.answer(own);
    }
  } catch (error) {
    if (hasCode(error, 'SQLITE_CONSTRAINT')) return stop('group', round); // to find out whose it is
    group.broken = { error };
    const ran = new Set(joint.flatMap(({ places }) => places));
    for (const at of ran) done.push({ member: members[at] as Member, outcome: { error } }); // a place in this round
    const { left } = stop('done', round);
    return { left: left.filter((_, at) => !ran.has(at)), undo: 'done' };
  }

  const in_order = [...round].sort((one, other) => Number(other.answered()) - Number(one.answered()));
  for (const [i, one] of in_order.entries()) {
    const { outcome, undo } = await one.go();
    done.push({ member: one.member, outcome });
    if (group.broken) return stop('done', in_order.slice(i + 1));
    if (undo !== 'nothing') return stop(undo, in_order.slice(i + 1));
  }
  return { left: [], undo: 'nothing' };
}

/** A member that has begun, and waits with its first statement for its turn. */
interface Begun {
  readonly member: Member;
  /** That statement; null where it has none. */
  readonly first: Promise<First | null>;
  /** Its first statement was run together with those of others. */
  answer(result: Result): void;
  answered(): boolean;
  /** Its turn: runs to its end. */
  go(): Promise<{ readonly outcome: Outcome; readonly undo: Undo }>;
  /** It has no turn any more. What it may have begun is forgotten; it is begun anew later. */
  abandon(): void;
}

/**
 * Begins one member. In a careful group its savepoint is opened before its first write, and only if others wrote before it; else
 * undoing it is undoing the transaction, in which there is nothing else.
 */
function begin(group: Group, member: Member): Begun {
  const waiting: { first?: (first: First | null) => void; turn?: () => void } = {};
  const first = new Promise<First | null>((resolve) => {
    waiting.first = resolve;
  });
  let waits = true;
  let abandoned = false;
  let answered: Result | null = null;
  let wrote = false;

  function noteWrite(): void {
    if (!wrote) group.writers += 1;
    wrote = true;
  }

  const send: Send = async (command, want) => {
    if (waits) {
      waits = false;
      await new Promise<void>((resolve) => {
        waiting.turn = resolve;
        waiting.first?.({ command, want });
      });
      if (abandoned) throw new Error('the transaction is begun anew');
      if (answered !== null) return answered;
    }
    if (group.broken) throw group.broken.error;
    if (want !== 'append' || group.careful) return execute(command, want);
    noteWrite();
    group.appended.push(command);
    return { rows: [], changes: 0 };
  };

  async function execute(command: Command, want: First['want']): Promise<Result> {
    const { connection, careful, writers } = group;
    const { sql, values, reads } = command;
    try {
      if (!reads && !wrote && writers > 0 && member.undoable && careful)
        await connection.run('savepoint member');
      const result = await (want === 'all' ? connection.all(sql, values) : connection.run(sql, values));
      if (!reads && hasEffect(command, result)) noteWrite();
      return result;
    } catch (error) {
      // After a constraint error SQLite has undone the statement alone; after any other one maybe everything.
      if (!hasCode(error, 'SQLITE_CONSTRAINT')) group.broken = { error };
      throw error;
    }
  }

  /** What its failure asks for. */
  async function undo(): Promise<Undo> {
    if (!member.undoable) return 'nothing';
    if (group.writers === 1) return 'done'; // it alone wrote
    if (!group.careful) return 'group';
    group.writers -= 1;
    await rollBackMember(group);
    return 'nothing';
  }

  const outcome = member.work(send).then(
    (value): Outcome => ({ value }),
    (error: unknown): Outcome => ({ error }),
  );
  void outcome.then(() => waiting.first?.(null));

  return {
    member,
    first,
    answer(result) {
      answered = result;
      if (result.rows.length > 0) noteWrite();
    },
    answered: () => answered !== null,
    async go() {
      waiting.turn?.();
      const ended = await outcome;
      const keeps = group.broken !== null || !wrote || !('error' in ended);
      return { outcome: ended, undo: keeps ? 'nothing' : await undo() };
    },
    abandon() {
      abandoned = true;
      waiting.turn?.();
    },
  };
}

/** False for a write that is known to have changed nothing: there is nothing to undo of it. */
function hasEffect({ sql }: Command, { rows, changes }: Result): boolean {
  return rows.length > 0 || changes > 0 || !/^\s*(insert|update|delete)\b/i.test(sql);
}

async function rollBackMember(group: Group): Promise<void> {
  try {
    await group.connection.run('rollback to member');
  } catch (error) {
    group.broken = { error };
  }
}

/** Undoes everything. After some errors SQLite has done so itself, and then this fails: nothing is left to do. */
async function rollBack(connection: SqliteConnection): Promise<void> {
  await connection.run('rollback').catch(() => undefined);
}
