/**
 * Signing in in more than one step: sign-ins under way, second factors, browsers that are spared one.
 * @import { Knex } from 'knex'
 */

/** @param {Knex} knex */
export async function up(knex) {
  /** When the person last proved who they are in this session. */
  await knex.raw('alter table sessions add column proven_at bigint not null default 0');
  await knex.raw('update sessions set proven_at = auth_time');

  /** What the person calls it. */
  await knex.raw('alter table credentials add column name text');
  await knex.raw('alter table credentials add column last_used_at bigint');
  /** For one-time passwords: the time step of the last one that was taken (RFC 6238 §5.2). */
  await knex.raw('alter table credentials add column last_step bigint');

  await knex.schema.createTable('sign_ins', (t) => {
    t.text('id').primary();
    /** SHA-256 of the cookie. */
    t.text('token_hash').notNullable().unique();
    t.text('user_id').notNullable().references('users.id').onDelete('cascade').index();
    /** The session that is made stronger; null where there will be a new one. */
    t.text('session_id').references('sessions.id').onDelete('cascade').index();
    /** The credential of the first proof: what a browser is known for. Null where there was none of ours. */
    t.text('credential_id');
    /** What was proved so far (RFC 8176), separated by spaces. */
    t.text('amr').notNullable();
    t.text('auth_request');
    t.integer('attempts').notNullable();
    /** MAC of the code that was sent by mail. */
    t.text('email_code_mac');
    t.bigInteger('email_code_expires_at');
    t.integer('emails_sent').notNullable();
    t.bigInteger('created_at').notNullable();
    t.bigInteger('expires_at').notNullable().index();
  });
  await knex.schema.createTable('remembered_devices', (t) => {
    t.text('id').primary();
    /** SHA-256 of the cookie. */
    t.text('token_hash').notNullable().unique();
    t.text('user_id').notNullable().references('users.id').onDelete('cascade').index();
    /** The browser and its system, in a few words. */
    t.text('name').notNullable();
    t.bigInteger('created_at').notNullable();
    t.bigInteger('last_used_at').notNullable();
    t.bigInteger('expires_at').notNullable().index();
  });
}

/** @param {Knex} knex */
export async function down(knex) {
  await knex.schema.dropTable('remembered_devices');
  await knex.schema.dropTable('sign_ins');
  await knex.raw('alter table credentials drop column last_step');
  await knex.raw('alter table credentials drop column last_used_at');
  await knex.raw('alter table credentials drop column name');
  await knex.raw('alter table sessions drop column proven_at');
}
