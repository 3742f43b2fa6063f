/**
 * Signing in with another provider: the providers, and which of their people is whom here.
 * @import { Knex } from 'knex'
 */

/** @param {Knex} knex */
export async function up(knex) {
  await knex.schema.createTable('identity_providers', (t) => {
    /** A word of the operator's, part of the redirect URI. */
    t.text('id').primary();
    t.text('display_name').notNullable();
    /** oidc: found by its issuer's discovery document. oauth2: by the endpoints that follow, its people by its userinfo endpoint. */
    t.text('kind').notNullable();
    t.text('issuer');
    t.text('authorization_endpoint');
    t.text('token_endpoint');
    t.text('userinfo_endpoint');
    /** Where a userinfo endpoint says nothing of it: a list of addresses, each with whether it is verified. */
    t.text('emails_endpoint');
    /** A JSON object: for each claim of ours the member that holds it there. */
    t.text('claim_names').notNullable();
    t.text('client_id').notNullable();
    t.text('client_secret_sealed');
    t.text('token_endpoint_auth_method').notNullable();
    t.text('id_token_signed_response_alg').notNullable();
    t.text('scope').notNullable();
    /** Words separated by spaces, as are the acr values. */
    t.text('mail_domains').notNullable();
    t.integer('trust_email_verified').notNullable();
    t.integer('trust_mfa').notNullable();
    t.text('mfa_acr_values').notNullable();
    t.integer('registration').notNullable();
    t.bigInteger('created_at').notNullable();
    t.bigInteger('updated_at').notNullable();
    t.bigInteger('disabled_at');
  });
  await knex.schema.createTable('federated_identities', (t) => {
    t.text('id').primary();
    t.text('provider_id').notNullable().references('identity_providers.id').onDelete('cascade');
    /** What the provider calls the person, and nobody else, ever (OpenID Connect Core §8). */
    t.text('subject').notNullable();
    t.text('user_id').notNullable().references('users.id').onDelete('cascade').index();
    /** What the person may know the account there by: as it was when it was last used, and nothing is decided by it. */
    t.text('label');
    t.bigInteger('created_at').notNullable();
    t.bigInteger('last_used_at').notNullable();
    t.unique(['provider_id', 'subject']);
  });
  await knex('cache_versions').insert({ name: 'identity_providers', version: 0 });
}

/** @param {Knex} knex */
export async function down(knex) {
  await knex('cache_versions').where({ name: 'identity_providers' }).delete();
  await knex.schema.dropTable('federated_identities');
  await knex.schema.dropTable('identity_providers');
}
