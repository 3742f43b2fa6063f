/**
 * What a link in a mail is good for: once, for a while. The pending registration of a stranger is not here: it travels in its link.
 * @import { Knex } from 'knex'
 */

/** @param {Knex} knex */
export async function up(knex) {
  await knex.schema.createTable('mail_links', (t) => {
    /** SHA-256 of the token in the link. */
    t.text('token_hash').primary();
    t.text('purpose').notNullable();
    /** Null for an invitation. */
    t.text('user_id').references('users.id').onDelete('CASCADE').index();
    /** The address that it is about, which the link proves, or invites. */
    t.text('email').notNullable();
    /** What else there is to know, as JSON. */
    t.text('detail');
    t.bigInteger('created_at').notNullable();
    t.bigInteger('expires_at').notNullable().index();
  });
}

/** @param {Knex} knex */
export async function down(knex) {
  await knex.schema.dropTable('mail_links');
}
