/**
 * Clients that register themselves, and the initial access tokens that let them (RFC 7591 §3, RFC 7592).
 * @import { Knex } from 'knex'
 */

/** @param {Knex} knex */
export async function up(knex) {
  /** SHA-256 of the registration access token. Null for a client that the operator added. */
  await knex.raw('alter table clients add column registration_token_hash text');
  /** The initial access token it came with; null where it came without. No foreign key: the token is deleted before the client. */
  await knex.raw('alter table clients add column initial_token_id text');
  /** For clients that registered themselves: within a day, when they were last of use to anybody. */
  await knex.raw('alter table clients add column last_used_at bigint');
  await knex.raw(
    'create index clients_registered on clients (last_used_at) where registration_token_hash is not null',
  );
  await knex.schema.createTable('registration_tokens', (t) => {
    t.text('id').primary();
    t.text('token_hash').notNullable().unique();
    /** What the operator wrote down about it. */
    t.text('note').notNullable();
    t.integer('uses_left').notNullable();
    t.bigInteger('created_at').notNullable();
    t.bigInteger('expires_at').notNullable().index();
  });
}

/** @param {Knex} knex */
export async function down(knex) {
  await knex.schema.dropTable('registration_tokens');
  await knex.raw('drop index clients_registered');
  await knex.raw('alter table clients drop column last_used_at');
  await knex.raw('alter table clients drop column initial_token_id');
  await knex.raw('alter table clients drop column registration_token_hash');
}
