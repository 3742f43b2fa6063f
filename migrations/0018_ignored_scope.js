/**
 * What an authorization request asked for beside its scope, and was left out: a refresh that repeats it does not ask for more.
 * @import { Knex } from 'knex'
 */

const tables = ['authorization_codes', 'refresh_tokens'];

/** @param {Knex} knex */
export async function up(knex) {
  for (const table of tables)
    await knex.raw(`alter table ${table} add column ignored_scope text not null default ''`);
}

/** @param {Knex} knex */
export async function down(knex) {
  for (const table of tables) await knex.raw(`alter table ${table} drop column ignored_scope`);
}
