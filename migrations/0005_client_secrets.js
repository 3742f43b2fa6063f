/**
 * The secret of a client that signs its assertions with it (client_secret_jwt): a MAC cannot be checked with a digest. Sealed.
 * @import { Knex } from 'knex'
 */

/** @param {Knex} knex */
export async function up(knex) {
  await knex.raw('alter table clients add column client_secret_sealed text');
}

/** @param {Knex} knex */
export async function down(knex) {
  await knex.raw('alter table clients drop column client_secret_sealed');
}
