/**
 * Mail that has to leave: beside the outbox, so that a slow mail server and logout tokens do not meet in one queue.
 * @import { Knex } from 'knex'
 */

/** @param {Knex} knex */
export async function up(knex) {
  await knex.schema.createTable('mails', (t) => {
    t.text('id').primary();
    /** Which message it is. */
    t.text('name').notNullable();
    /** Whom it is for, with all that it says, sealed. Null once it was delivered or given up. */
    t.text('body');
    t.text('state').notNullable();
    t.integer('attempts').notNullable();
    /** Null when nothing more is sent. */
    t.bigInteger('next_attempt_at');
    t.text('answer');
    t.bigInteger('attempted_at');
    t.bigInteger('created_at').notNullable();
    /** From when on it would be of no use to anybody. */
    t.bigInteger('useless_at').notNullable();
    t.bigInteger('expires_at').notNullable().index();
  });
  await knex.raw('create index mails_waiting on mails (next_attempt_at) where next_attempt_at is not null');
}

/** @param {Knex} knex */
export async function down(knex) {
  await knex.schema.dropTable('mails');
}
