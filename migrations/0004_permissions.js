/**
 * What the roles of a user allow at a resource server, and which of it that server wants to read in its tokens.
 * @import { Knex } from 'knex'
 */

/** @param {Knex} knex */
export async function up(knex) {
  /** A JSON object: for each permission the roles that hold it. */
  await knex.raw("alter table resources add column permissions text not null default '{}'");
  /** `roles` and `permissions`, those of them that it asks for. */
  await knex.raw("alter table resources add column token_claims text not null default ''");
}

/** @param {Knex} knex */
export async function down(knex) {
  await knex.raw('alter table resources drop column token_claims');
  await knex.raw('alter table resources drop column permissions');
}
