/**
 * Revocations in the order in which they were written: what tells a process that it has read them all, whatever the clocks of the
 * others say. A primary key that counts cannot be added to a table everywhere, so the table is made anew.
 * @import { Knex } from 'knex'
 */

const columns = 'id, status_list, status_index, revoked_at, expires_at';

/** @param {Knex} knex */
export async function up(knex) {
  await remake(knex, (t) => {
    /** Counts up, and is never given again. */
    t.bigIncrements('position');
    /** The list and the index with a dot between them. */
    t.text('id').notNullable().unique();
    t.text('status_list').notNullable();
    t.integer('status_index').notNullable();
    t.bigInteger('revoked_at').notNullable();
    /** When the last token that names it has expired. */
    t.bigInteger('expires_at').notNullable().index();
    t.index(['status_list', 'status_index']);
  });
}

/** @param {Knex} knex */
export async function down(knex) {
  await remake(knex, (t) => {
    t.text('id').primary();
    t.text('status_list').notNullable();
    t.integer('status_index').notNullable();
    t.bigInteger('revoked_at').notNullable().index();
    t.bigInteger('expires_at').notNullable().index();
    t.index(['status_list']);
  });
}

/**
 * The same rows in a table with other columns; its indices keep their names.
 * @param {Knex} knex
 * @param {(table: Knex.CreateTableBuilder) => void} describe
 */
async function remake(knex, describe) {
  // Reading alone keeps nobody from writing: what is revoked meanwhile would be in the old table only.
  if (knex.client.config.client === 'pg')
    await knex.raw('lock table status_revocations in access exclusive mode');
  await knex.raw(`create table kept_revocations as select ${columns} from status_revocations`);
  await knex.schema.dropTable('status_revocations');
  await knex.schema.createTable('status_revocations', describe);
  await knex.raw(
    `insert into status_revocations (${columns}) select ${columns} from kept_revocations order by revoked_at, id`,
  );
  await knex.schema.dropTable('kept_revocations');
}
