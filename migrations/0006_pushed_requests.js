/**
 * Pushed authorization requests: those that wait for their browser, and those that were completed, so that none is used twice.
 * @import { Knex } from 'knex'
 */

/** @param {Knex} knex */
export async function up(knex) {
  await knex.schema.createTable('pushed_requests', (t) => {
    t.text('reference_hash').primary();
    /** No foreign key: a row outlives its client by an hour at most. */
    t.text('client_id').notNullable();
    /** Sealed. Null where the reference holds the request itself. */
    t.text('request');
    t.bigInteger('expires_at').notNullable().index();
    t.bigInteger('consumed_at');
  });
  await knex.raw(
    'create index pushed_requests_waiting on pushed_requests (client_id, expires_at) where consumed_at is null',
  );
}

/** @param {Knex} knex */
export async function down(knex) {
  await knex.schema.dropTable('pushed_requests');
}
