/**
 * What an operator sets while the server runs: how its pages look.
 * @import { Knex } from 'knex'
 */

/** @param {Knex} knex */
export async function up(knex) {
  await knex.schema.createTable('settings', (t) => {
    t.text('name').primary();
    /** JSON. */
    t.text('value').notNullable();
    t.bigInteger('updated_at').notNullable();
  });
  await knex('cache_versions').insert({ name: 'settings', version: 0 });
}

/** @param {Knex} knex */
export async function down(knex) {
  await knex('cache_versions').where({ name: 'settings' }).delete();
  await knex.schema.dropTable('settings');
}
