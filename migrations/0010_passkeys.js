/**
 * Passkeys: the public keys of people's authenticators (WebAuthn §4, "credential record").
 * @import { Knex } from 'knex'
 */

/** @param {Knex} knex */
export async function up(knex) {
  await knex.schema.createTable('passkeys', (t) => {
    t.text('id').primary();
    t.text('user_id').notNullable().references('users.id').onDelete('cascade').index();
    /** The authenticator's own id of it, base64url. */
    t.text('credential_id').notNullable().unique();
    /** A COSE key, base64url. */
    t.text('public_key').notNullable();
    /** How often the authenticator says it has signed; 0 where it does not count. */
    t.bigInteger('sign_count').notNullable();
    /** What the person calls it. */
    t.text('name').notNullable();
    /** The make of the authenticator, a UUID; all zeros where it does not say. */
    t.text('aaguid').notNullable();
    /** How a browser reaches it, words separated by spaces. */
    t.text('transports').notNullable();
    /** Whether it may be copied to other devices, and whether it has been. */
    t.integer('backup_eligible').notNullable();
    t.integer('backed_up').notNullable();
    /** Whether it can sign in by itself: the authenticator finds it without being told its id, and asks who is there. */
    t.integer('stands_alone').notNullable();
    t.bigInteger('created_at').notNullable();
    t.bigInteger('last_used_at');
  });
}

/** @param {Knex} knex */
export async function down(knex) {
  await knex.schema.dropTable('passkeys');
}
