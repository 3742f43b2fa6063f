/**
 * Which sessions came from another provider, so that a sign-out there ends them here, and one here can go on there.
 * @import { Knex } from 'knex'
 */

/** @param {Knex} knex */
export async function up(knex) {
  await knex.schema.createTable('upstream_sessions', (t) => {
    t.text('session_id').notNullable().references('sessions.id').onDelete('cascade');
    t.text('provider_id').notNullable().references('identity_providers.id').onDelete('cascade');
    t.text('subject').notNullable();
    /** The session there, where it has a name (Back-Channel Logout §2.1). */
    t.text('sid');
    /** For the sign-out there: its id_token_hint. */
    t.text('id_token_sealed');
    t.bigInteger('created_at').notNullable();
    t.primary(['session_id', 'provider_id']);
    t.index(['provider_id', 'subject']);
  });
  /** A JSON object: the session there, until there is one here. */
  await knex.raw('alter table sign_ins add column upstream text');
  /** Whether who signs out here is asked, or sent, to sign out there as well. */
  await knex.raw("alter table identity_providers add column sign_out text not null default 'offer'");
}

/** @param {Knex} knex */
export async function down(knex) {
  await knex.raw('alter table identity_providers drop column sign_out');
  await knex.raw('alter table sign_ins drop column upstream');
  await knex.schema.dropTable('upstream_sessions');
}
