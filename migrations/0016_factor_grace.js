/**
 * Where a second factor is required: until when a person may put off setting one up.
 * @import { Knex } from 'knex'
 */

/** @param {Knex} knex */
export async function up(knex) {
  /** Set when they are first asked; null until then. */
  await knex.raw('alter table users add column factor_due_at bigint');
}

/** @param {Knex} knex */
export async function down(knex) {
  await knex.raw('alter table users drop column factor_due_at');
}
