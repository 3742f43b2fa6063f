/**
 * What a person sees of their account: with what and from where a browser signed in, and when an account is to be deleted.
 * @import { Knex } from 'knex'
 */

/** @param {Knex} knex */
export async function up(knex) {
  /** The User-Agent header, cut to 512 characters, and the network address of the sign-in; '' for one of an earlier release. */
  await knex.raw("alter table sessions add column user_agent text not null default ''");
  await knex.raw("alter table sessions add column address text not null default ''");
  /** The same of whoever did it; null where no browser did. */
  await knex.raw('alter table events add column user_agent text');
  await knex.raw('alter table events add column address text');
  /** When the account is deleted, as its owner asked; null for nearly all. */
  await knex.raw('alter table users add column deletes_at bigint');
  await knex.raw('create index users_deleting on users (deletes_at) where deletes_at is not null');
}

/** @param {Knex} knex */
export async function down(knex) {
  await knex.raw('drop index users_deleting');
  await knex.raw('alter table users drop column deletes_at');
  await knex.raw('alter table events drop column address');
  await knex.raw('alter table events drop column user_agent');
  await knex.raw('alter table sessions drop column address');
  await knex.raw('alter table sessions drop column user_agent');
}
