/** Table users, column deletes_at: accounts whose owners asked for their deletion. */
import type { Knex } from 'knex';
import type { Queryable, Trx } from './db.js';
import { statement } from './statement.js';

/** Whether a row is that of an administrator, as users.isAdministrator says it. */
const administrators = (sql: Knex, table = 'users') =>
  sql.raw("' ' || ?? || ' ' like '% admin %'", [`${table}.roles`]);

const lockAdministrators = statement<Record<never, never>, { id: string }>((sql) =>
  sql('users').select('id').where(administrators(sql)).orderBy('id').forUpdate(),
);

const request = statement<{ id: string; deletes_at: number; now: number }>((sql, value) =>
  sql('users')
    .where({ id: value.id })
    .whereNull('deletes_at')
    .whereNull('disabled_at')
    .where((either) =>
      either
        .whereRaw('not (?)', [administrators(sql)])
        .orWhereExists(
          sql('users as others')
            .select(sql.raw('1'))
            .where('others.id', '<>', value.id)
            .whereNull('others.disabled_at')
            .whereNull('others.deletes_at')
            .where(administrators(sql, 'others')),
        ),
    )
    .update({ deletes_at: value.deletes_at, updated_at: value.now }),
);

/**
 * Notes that an account is to be deleted at `deletes_at`. False for the last administrator, and where it was noted before. Of two
 * administrators who ask at the same moment one waits, and then is the last.
 */
export async function insert(
  trx: Trx,
  user: { readonly id: string; readonly is_administrator: boolean },
  deletes_at: number,
  now: number,
): Promise<boolean> {
  if (user.is_administrator) await trx.all(lockAdministrators, {});
  return (await trx.run(request, { id: user.id, deletes_at, now })) === 1;
}

const cancel = statement<{ id: string; now: number }>((sql, value) =>
  sql('users')
    .where({ id: value.id })
    .where('deletes_at', '>', value.now)
    .update({ deletes_at: null, updated_at: value.now }),
);

/** Keeps an account whose time has not come. False where it has, or nobody asked for its deletion. */
export async function remove(trx: Trx, id: string, now: number): Promise<boolean> {
  return (await trx.run(cancel, { id, now })) === 1;
}

const due = statement<{ now: number }, { id: string }>((sql, value) =>
  sql('users').select('id').where('deletes_at', '<=', value.now).orderBy('deletes_at').limit(100),
);

/** Up to a hundred accounts whose time has come. */
export async function listDue(db: Queryable, now: number): Promise<readonly string[]> {
  return (await db.all(due, { now })).map(({ id }) => id);
}

const isDue = statement<{ id: string; now: number }, { id: string }>((sql, value) =>
  sql('users').select('id').where({ id: value.id }).where('deletes_at', '<=', value.now).forUpdate(),
);

/** Whether an account's time has come, and it is there: nobody changes it until the transaction ends. */
export async function hold(trx: Trx, id: string, now: number): Promise<boolean> {
  return (await trx.first(isDue, { id, now })) !== undefined;
}
