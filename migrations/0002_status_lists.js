/**
 * Status lists: what lets an application that only checks signatures see that a token was revoked (IETF Token Status List). Each
 * authorization and each client has an index in a list; a revoked one has a row until the last token that names it has expired.
 * @import { Knex } from 'knex'
 */

/** @param {Knex} knex */
export async function up(knex) {
  await knex.schema.createTable('status_lists', (t) => {
    t.text('id').primary();
    t.bigInteger('created_at').notNullable();
    /** When a process last took indices out of it. */
    t.bigInteger('reserved_at').notNullable();
    /** The first index that nobody has. */
    t.integer('next_index').notNullable();
  });
  await knex.schema.createTable('status_revocations', (t) => {
    /** The list and the index with a dot between them. */
    t.text('id').primary();
    t.text('status_list').notNullable();
    t.integer('status_index').notNullable();
    t.bigInteger('revoked_at').notNullable().index();
    /** When the last token that names it has expired. */
    t.bigInteger('expires_at').notNullable().index();
    t.index(['status_list']);
  });
  for (const table of ['authorizations', 'clients']) {
    await knex.raw(`alter table ${table} add column status_list text`);
    await knex.raw(`alter table ${table} add column status_index integer`);
  }
  await knex.raw('create index authorizations_status_list on authorizations (status_list)');
  /** The client that acts for a resource server: it may introspect the tokens for it. */
  await knex.raw('alter table resources add column client_id text');
}

/** @param {Knex} knex */
export async function down(knex) {
  await knex.raw('alter table resources drop column client_id');
  await knex.raw('drop index authorizations_status_list');
  for (const table of ['clients', 'authorizations']) {
    await knex.raw(`alter table ${table} drop column status_index`);
    await knex.raw(`alter table ${table} drop column status_list`);
  }
  await knex.schema.dropTable('status_revocations');
  await knex.schema.dropTable('status_lists');
}
