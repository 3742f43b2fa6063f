import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Db, openDb, type Trx } from '../../src/store/db.js';
import { statement } from '../../src/store/statement.js';
import { emptyDatabase, engines, type TestDatabase } from '../support/database.js';

const insert = statement<{ id: number }>((sql, value) => sql('t').insert({ id: value.id }));
const list = statement<object, { id: number }>((sql) => sql('t').orderBy('id'));
const refusal = new Error('refused');

async function ids(db: Db): Promise<number[]> {
  return (await db.all(list, {})).map((row) => row.id);
}

describe.each(engines)('transactions at once on %s', (engine) => {
  let scratch: TestDatabase;
  let db: Db;

  beforeEach(async () => {
    scratch = await emptyDatabase(engine);
    db = await openDb(scratch.url);
    await db.run(
      statement((sql) => sql.raw('create table t (id bigint primary key)')),
      {},
    );
  });
  afterEach(async () => {
    await db.close();
    await scratch.drop();
  });

  test('2,000 of them: exactly what the successful ones wrote is there', async () => {
    const work = Array.from({ length: 2000 }, (_, id) =>
      db.transaction(async (trx) => {
        await trx.run(insert, { id });
        if (id % 7 === 0) throw refusal;
        return id;
      }),
    );
    const outcomes = await Promise.allSettled(work);
    const kept = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    expect(kept).toEqual(Array.from({ length: 2000 }, (_, id) => id).filter((id) => id % 7 !== 0));
    expect(await ids(db)).toEqual(kept);
  });

  /** What a member does: each step in turn, on rows of its own. */
  const steps = fc.array(fc.constantFrom('write', 'append', 'read', 'duplicate', 'throw', 'wait'), {
    maxLength: 5,
  });
  const members = fc.array(fc.record({ single: fc.boolean(), steps }), { maxLength: 12 });
  type Member = { single: boolean; steps: string[] };

  test('any mix of members: exactly the writes of the successful ones are there', async () => {
    let start = 0;
    const mix = fc.asyncProperty(members, async (plan) => {
      const before = await ids(db);
      const wanted: number[] = [];
      const work = plan.map(async (member, i) => {
        const own = await runMember(member, start + i * 10);
        wanted.push(...own);
      });
      start += plan.length * 10;
      const outcomes = await Promise.allSettled(work);
      for (const outcome of outcomes)
        expect(outcome).not.toMatchObject({ reason: { code: 'SQLITE_MISUSE' } });
      expect(await ids(db)).toEqual([...before, ...wanted].sort((a, b) => a - b));
    });
    await fc.assert(mix, { numRuns: engine === 'sqlite' ? 150 : 40 });
  });

  /** Gives the ids that must be there if it resolves. On PostgreSQL a duplicate ends the transaction. */
  async function runMember({ single, steps }: Member, first: number): Promise<number[]> {
    if (single) {
      await db.run(insert, { id: first });
      return [first];
    }
    return db.transaction(async (trx) => {
      const own: number[] = [];
      for (const step of steps) await runStep(trx, step, own, first);
      return own;
    });
  }

  async function runStep(trx: Trx, step: string, own: number[], first: number): Promise<void> {
    if (step === 'throw') throw refusal;
    if (step === 'wait') await Promise.resolve();
    if (step === 'read') await trx.all(list, {});
    if (step === 'duplicate' && own.length > 0) await trx.run(insert, { id: first }).catch(() => undefined);
    if (step === 'write' || step === 'append') {
      const row = { id: first + own.length };
      await (step === 'write' ? trx.run(insert, row) : trx.append(insert, row));
      own.push(first + own.length);
    }
  }
});
