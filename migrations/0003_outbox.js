/**
 * What has to leave: logout tokens for applications, with what became of each, and the receipts of signing out everywhere.
 * @import { Knex } from 'knex'
 */

/** @param {Knex} knex */
export async function up(knex) {
  /** Where a client wants its logout tokens: searched, so it stands beside the metadata too. */
  await knex.raw('alter table clients add column backchannel_logout_uri text');
  await knex.schema.createTable('outbox', (t) => {
    t.text('id').primary();
    t.text('kind').notNullable();
    /** What ended the session: messages of one end share it. */
    t.text('receipt_id').notNullable().index();
    /** No foreign keys: a message outlives the user and the client it tells of. */
    t.text('client_id').notNullable();
    t.text('user_id').notNullable();
    t.text('sid').notNullable();
    t.text('state').notNullable();
    t.integer('attempts').notNullable();
    /** Null when nothing more is sent. */
    t.bigInteger('next_attempt_at');
    t.text('answer');
    t.bigInteger('attempted_at');
    t.bigInteger('created_at').notNullable();
    t.bigInteger('expires_at').notNullable().index();
  });
  await knex.raw('create index outbox_waiting on outbox (next_attempt_at) where next_attempt_at is not null');
  await knex.schema.createTable('receipts', (t) => {
    t.text('id').primary();
    t.text('user_id').notNullable();
    t.integer('sessions').notNullable();
    t.bigInteger('created_at').notNullable();
    t.bigInteger('expires_at').notNullable().index();
  });
}

/** @param {Knex} knex */
export async function down(knex) {
  await knex.schema.dropTable('receipts');
  await knex.schema.dropTable('outbox');
  await knex.raw('alter table clients drop column backchannel_logout_uri');
}
