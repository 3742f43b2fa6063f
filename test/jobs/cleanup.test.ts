import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cleanup } from '../../src/jobs/cleanup.js';
import type { Db } from '../../src/store/db.js';
import { deleteExpired } from '../../src/store/expired.js';
import { type Statement, statement } from '../../src/store/statement.js';
import { engines } from '../support/database.js';
import { startIdp } from '../support/idp.js';

/** Seconds that a row outlives its end. */
const grace = 60;
const now = 2_000_000_000;
const never = new AbortController().signal;

/** Every short-lived table: its key, its end, and the rest of a row. */
const tables = {
  attempts: { key: 'key_hash', end: 'expires_at', row: { count: 1 } },
  assertion_ids: { key: 'id_hash', end: 'expires_at', row: {} },
  pushed_requests: { key: 'reference_hash', end: 'expires_at', row: { client_id: 'c1' } },
  sessions: {
    key: 'id',
    end: 'expires_at',
    row: {
      ...{
        token_hash: 'key',
        user_id: 'u1',
        auth_time: 1,
        amr: 'pwd',
        acr: '1',
        selected_at: 1,
        created_at: 1,
      },
      ...{ last_seen_at: 1, absolute_expires_at: now * 2 },
    },
  },
  sign_ins: {
    key: 'id',
    end: 'expires_at',
    row: { token_hash: 'key', user_id: 'u1', amr: 'pwd', attempts: 0, emails_sent: 0, created_at: 1 },
  },
  remembered_devices: {
    key: 'id',
    end: 'expires_at',
    row: { token_hash: 'key', user_id: 'u1', name: 'Firefox', created_at: 1, last_used_at: 1 },
  },
  authorizations: {
    key: 'id',
    end: 'expires_at',
    row: { user_id: 'u1', client_id: 'c1', sid: 's1', session_id: 'key', created_at: 1 },
  },
  authorization_codes: {
    key: 'code_hash',
    end: 'keep_until',
    row: {
      ...{
        authorization_id: 'a1',
        client_id: 'c1',
        user_id: 'u1',
        redirect_uri: 'x',
        scope: '',
        resource: '',
      },
      ...{ auth_time: 1, amr: 'pwd', acr: '1', sid: 's1', expires_at: 1, consumed_at: 1 },
    },
  },
  refresh_tokens: {
    key: 'id',
    end: 'expires_at',
    row: {
      ...{ authorization_id: 'a1', client_id: 'c1', user_id: 'u1', scope: '', resource: '', auth_time: 1 },
      ...{ amr: 'pwd', acr: '1', sid: 's1', generation: 1, token_hash: 'x', created_at: 1 },
    },
  },
  status_revocations: {
    key: 'id',
    end: 'expires_at',
    row: { status_list: 'l1', status_index: 1, revoked_at: 1 },
  },
  events: { key: 'id', end: 'expires_at', row: { at: 1, type: 'signed_in' } },
  outbox: {
    key: 'id',
    end: 'expires_at',
    row: {
      ...{ kind: 'backchannel_logout', receipt_id: 'r1', client_id: 'c1', user_id: 'u1', sid: 's1' },
      ...{ state: 'answered', attempts: 1, created_at: 1 },
    },
  },
  mail_links: {
    key: 'token_hash',
    end: 'expires_at',
    row: { purpose: 'password_reset', user_id: 'u1', email: 'x', created_at: 1 },
  },
  mails: {
    key: 'id',
    end: 'expires_at',
    row: { name: 'x', state: 'delivered', attempts: 1, created_at: 1, useless_at: 1 },
  },
  receipts: { key: 'id', end: 'expires_at', row: { user_id: 'u1', sessions: 1, created_at: 1 } },
  registration_tokens: {
    key: 'id',
    end: 'expires_at',
    row: { token_hash: 'key', note: '', uses_left: 1, created_at: 1 },
  },
  secret_keys: { key: 'id', end: 'expires_at', row: { purpose: 'old', key_wrapped: 'x', created_at: 1 } },
} as const;

type Table = keyof typeof tables;
const names = Object.keys(tables) as Table[]; // the keys of a constant table

/** Inserts a row for each end, 400 at a time; 'key' stands wherever the row needs something of its own. */
async function insertRows(db: Db, table: Table, ends: readonly number[]): Promise<void> {
  const { key, end, row } = tables[table];
  const rows = ends.map((at, i) => {
    const own = Object.entries(row).map(([name, value]) => [name, value === 'key' ? `${at}-${i}` : value]);
    return { ...Object.fromEntries(own), [key]: `${at}-${i}`, [end]: at };
  });
  for (let from = 0; from < rows.length; from += 400)
    await db.run(
      statement<object>((sql) => sql(table).insert(rows.slice(from, from + 400))),
      {},
    );
}

const endsOf = Object.fromEntries(
  names.map((table) => [
    table,
    statement<object, { at: number }>((sql) =>
      sql(table).select(`${tables[table].end} as at`).where(tables[table].end, '>', 0).orderBy('at'),
    ),
  ]),
) as Record<Table, Statement<object, { at: number }>>;

const leftIn = async (db: Db, table: Table) => (await db.all(endsOf[table], {})).map(({ at }) => at);

const insertUser = statement<object>((sql) =>
  sql('users').insert({
    ...{
      id: 'u1',
      email: 'a@b',
      email_canonical: 'a@b',
      email_verified: 0,
      roles: '',
      created_at: 1,
      updated_at: 1,
    },
  }),
);
const insertClient = statement<object>((sql) =>
  sql('clients').insert({ client_id: 'c1', client_name: 'x', metadata: '{}', created_at: 1, updated_at: 1 }),
);
const insertAuthorization = statement<object>((sql) =>
  sql('authorizations').insert({
    ...{
      id: 'a1',
      user_id: 'u1',
      client_id: 'c1',
      sid: 's',
      session_id: 's',
      created_at: 1,
      expires_at: now * 2,
    },
  }),
);

async function start(engine: (typeof engines)[number]) {
  const idp = await startIdp({ engine });
  for (const row of [insertUser, insertClient, insertAuthorization]) await idp.db.run(row, {});
  return idp;
}

describe.each(engines)('the janitor on %s', (engine) => {
  test('deletes exactly what has expired, in every table', async () => {
    const { db, deps } = await start(engine);
    const ends = [1, now - 3600, now - grace - 1, now - grace, now - grace + 1, now, now + 3600];
    const expected: Record<string, number[]> = {};
    for (const table of names) {
      const all = [...(await leftIn(db, table)), ...ends];
      expected[table] = all.filter((at) => at >= now - grace).sort((a, b) => a - b);
      await insertRows(db, table, ends);
    }
    await cleanup.run(deps, now, never);
    for (const table of names) expect(await leftIn(db, table), table).toEqual(expected[table]);
  });

  test('deletes 500 rows of a table at a time, and says whether there may be more', async () => {
    const { db, deps } = await start(engine);
    const ends = Array.from({ length: 1200 }, (_, i) => i + 1);
    await insertRows(db, 'attempts', ends);
    await insertRows(db, 'events', ends.slice(0, 500));
    expect(await deleteExpired(db, now)).toEqual({ deleted: 1000, more: true });
    expect(await deleteExpired(db, now)).toEqual({ deleted: 500, more: true });
    expect(await deleteExpired(db, now)).toEqual({ deleted: 200, more: false });
    expect(await deleteExpired(db, now)).toEqual({ deleted: 0, more: false });

    await insertRows(db, 'attempts', ends);
    await cleanup.run(deps, now, never);
    expect(await leftIn(db, 'attempts')).toEqual([]);
  });

  test('keeps the key that seals now, which has no end', async () => {
    const { db, deps } = await start(engine);
    const keys = statement<object, { id: string }>((sql) => sql('secret_keys').select('id').orderBy('id'));
    const before = await db.all(keys, {});
    await cleanup.run(deps, now * 2, never);
    expect(await db.all(keys, {})).toEqual(before);
  });
});

test('whatever the ends, the janitor leaves the rows that have not expired, and only those', async () => {
  const { db, deps } = await start('sqlite');
  const at = fc.oneof(fc.nat(now * 2), fc.integer({ min: now - 100, max: now + 100 })).map((end) => end + 1);
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...names),
      fc.uniqueArray(at, { minLength: 1, maxLength: 30 }),
      async (table, ends) => {
        const before = await leftIn(db, table);
        await insertRows(db, table, ends);
        await cleanup.run(deps, now, never);
        const left = [...before, ...ends].filter((end) => end >= now - grace).sort((a, b) => a - b);
        expect(await leftIn(db, table)).toEqual(left);
        await cleanup.run(deps, now * 3, never); // room for the next round
        await db.run(insertAuthorization, {});
      },
    ),
    { numRuns: 40 },
  );
});

test('a janitor that is told to stop ends after its batch, and the next one goes on', async () => {
  const { db, deps } = await start('sqlite');
  await insertRows(
    db,
    'attempts',
    Array.from({ length: 1200 }, (_, i) => i + 1),
  );
  await cleanup.run(deps, now, AbortSignal.abort());
  expect(await leftIn(db, 'attempts')).toHaveLength(700);
  await cleanup.run(deps, now, never);
  expect(await leftIn(db, 'attempts')).toEqual([]);
});

test('every table with an end of its rows is swept, or says why not', async () => {
  const { db } = await startIdp();
  const columns = statement<object, { table: string; column: string }>((sql) =>
    sql.raw(
      `select m.name as "table", c.name as "column" from sqlite_master m, pragma_table_info(m.name) c where m.type = 'table'`,
    ),
  );
  const ending = (await db.all(columns, {}))
    .filter(({ column }) => column === 'expires_at' || column === 'keep_until')
    .map(({ table }) => table);
  const elsewhere = [
    'leases', // one row for each job
    'signing_keys', // jobs/rotate_keys.ts: they outlive their end for id_token_hint
  ];
  expect([...new Set(ending)].sort()).toEqual([...names, ...elsewhere].sort());
});
