/**
 * Resource servers whose access tokens live shorter than others, or are signed otherwise.
 * @import { Knex } from 'knex'
 */

/** @param {Knex} knex */
export async function up(knex) {
  /** Both null for what holds everywhere. */
  await knex.raw('alter table resources add column access_token_seconds integer');
  await knex.raw('alter table resources add column access_token_signing_alg text');
}

/** @param {Knex} knex */
export async function down(knex) {
  await knex.raw('alter table resources drop column access_token_signing_alg');
  await knex.raw('alter table resources drop column access_token_seconds');
}
