/**
 * The tables of the first release. Times are whole seconds since 1970, secrets are SHA-256 digests, keys are wrapped
 * under the master key. Flags are 0 or 1, so that a row reads the same on both engines.
 * @import { Knex } from 'knex'
 */

const tables = [
  'setup',
  'cache_versions',
  'leases',
  'events',
  'assertion_ids',
  'attempts',
  'refresh_tokens',
  'authorization_codes',
  'consents',
  'authorizations',
  'sessions',
  'credentials',
  'users',
  'resources',
  'clients',
  'secret_keys',
  'signing_keys',
];

/** @param {Knex} knex */
export async function up(knex) {
  await keys(knex);
  await parties(knex);
  await sessions(knex);
  await grants(knex);
  await upkeep(knex);
}

/** @param {Knex} knex */
export async function down(knex) {
  for (const table of tables) await knex.schema.dropTable(table);
}

/** @param {Knex} knex */
async function keys(knex) {
  await knex.schema.createTable('signing_keys', (t) => {
    t.text('kid').primary();
    t.text('alg').notNullable();
    t.text('public_jwk').notNullable();
    t.text('private_key_wrapped').notNullable();
    t.bigInteger('created_at').notNullable();
    t.bigInteger('active_at').notNullable();
    t.bigInteger('retired_at');
    t.bigInteger('expires_at');
  });
  await knex.schema.createTable('secret_keys', (t) => {
    t.text('id').primary();
    t.text('purpose').notNullable();
    t.text('key_wrapped').notNullable();
    t.bigInteger('created_at').notNullable();
    t.bigInteger('expires_at');
  });
}

/** @param {Knex} knex */
async function parties(knex) {
  await knex.schema.createTable('clients', (t) => {
    t.text('client_id').primary();
    t.text('client_name').notNullable();
    t.text('client_secret_hash');
    /** Everything else of RFC 7591 and our own members, as one JSON object: read whole, never searched. */
    t.text('metadata').notNullable();
    t.bigInteger('created_at').notNullable();
    t.bigInteger('updated_at').notNullable();
    t.bigInteger('disabled_at');
  });
  await knex.schema.createTable('resources', (t) => {
    t.text('identifier').primary();
    t.text('scope').notNullable();
    t.bigInteger('created_at').notNullable();
  });
  await knex.schema.createTable('users', (t) => {
    t.text('id').primary();
    t.text('email').notNullable();
    /** The address as it is compared: NFC, lower case. */
    t.text('email_canonical').notNullable().unique();
    t.integer('email_verified').notNullable();
    for (const claim of [
      'name',
      'family_name',
      'given_name',
      'middle_name',
      'nickname',
      'preferred_username',
      'profile',
      'picture',
      'website',
      'gender',
      'birthdate',
      'zoneinfo',
      'locale',
      'phone_number',
    ]) {
      t.text(claim);
    }
    t.integer('phone_number_verified');
    /** The address claim, a JSON object of strings. */
    t.text('address');
    t.text('roles').notNullable();
    t.bigInteger('created_at').notNullable();
    t.bigInteger('updated_at').notNullable();
    t.bigInteger('disabled_at');
  });
  await knex.schema.createTable('credentials', (t) => {
    t.text('id').primary();
    t.text('user_id').notNullable().references('users.id').onDelete('cascade');
    t.text('type').notNullable();
    t.text('secret').notNullable();
    t.bigInteger('created_at').notNullable();
    t.bigInteger('updated_at').notNullable();
    t.index(['user_id', 'type']);
  });
}

/** @param {Knex} knex */
async function sessions(knex) {
  await knex.schema.createTable('sessions', (t) => {
    t.text('id').primary();
    t.text('token_hash').notNullable().unique();
    t.text('user_id').notNullable().references('users.id').onDelete('cascade');
    t.bigInteger('auth_time').notNullable();
    t.text('amr').notNullable();
    t.text('acr').notNullable();
    /** The authorization request that this sign-in, or this choice of account, answered. */
    t.text('auth_request');
    t.bigInteger('selected_at').notNullable();
    t.text('selected_request');
    t.bigInteger('created_at').notNullable();
    t.bigInteger('last_seen_at').notNullable();
    t.bigInteger('expires_at').notNullable().index();
    t.bigInteger('absolute_expires_at').notNullable();
    t.index(['user_id']);
  });
  await knex.schema.createTable('consents', (t) => {
    t.text('user_id').notNullable().references('users.id').onDelete('cascade');
    t.text('client_id').notNullable().references('clients.client_id').onDelete('cascade');
    t.text('approved').notNullable();
    t.bigInteger('granted_at').notNullable();
    t.text('granted_request');
    t.primary(['user_id', 'client_id']);
    t.index(['client_id']);
  });
}

/** @param {Knex} knex */
async function grants(knex) {
  await knex.schema.createTable('authorizations', (t) => {
    t.text('id').primary();
    t.text('user_id').notNullable().references('users.id').onDelete('cascade');
    t.text('client_id').notNullable().references('clients.client_id').onDelete('cascade');
    /** The browser session it came from, also when it outlives it: the sid of its tokens. */
    t.text('sid').notNullable();
    /** The session whose end ends it; the empty string when it was given offline_access. */
    t.text('session_id').notNullable();
    t.bigInteger('created_at').notNullable();
    t.bigInteger('expires_at').notNullable().index();
    t.bigInteger('revoked_at');
    t.index(['session_id']);
    t.index(['client_id']);
  });
  // One living row for each user, client and session; a revoked one makes room for the next.
  await knex.raw(
    'create unique index authorizations_living on authorizations (user_id, client_id, session_id) where revoked_at is null',
  );
  await knex.schema.createTable('authorization_codes', (t) => {
    t.text('code_hash').primary();
    t.text('authorization_id').notNullable().references('authorizations.id').onDelete('cascade');
    t.text('client_id').notNullable();
    t.text('user_id').notNullable();
    t.text('redirect_uri').notNullable();
    t.text('scope').notNullable();
    t.text('resource').notNullable();
    t.text('claims');
    t.text('nonce');
    t.text('code_challenge');
    t.bigInteger('auth_time').notNullable();
    t.text('amr').notNullable();
    t.text('acr').notNullable();
    t.text('sid').notNullable();
    t.bigInteger('expires_at').notNullable();
    t.bigInteger('consumed_at');
    /** A spent code is remembered as long as a token of it can live, so that a late second use revokes it. */
    t.bigInteger('keep_until').notNullable().index();
    t.index(['authorization_id']);
  });
  await knex.schema.createTable('refresh_tokens', (t) => {
    t.text('id').primary();
    t.text('authorization_id').notNullable().references('authorizations.id').onDelete('cascade');
    t.text('client_id').notNullable();
    t.text('user_id').notNullable();
    t.text('scope').notNullable();
    t.text('resource').notNullable();
    t.text('claims');
    t.bigInteger('auth_time').notNullable();
    t.text('amr').notNullable();
    t.text('acr').notNullable();
    t.text('sid').notNullable();
    t.bigInteger('generation').notNullable();
    t.text('token_hash').notNullable();
    t.text('successor_sealed');
    t.bigInteger('rotated_at');
    t.bigInteger('created_at').notNullable();
    t.bigInteger('expires_at').notNullable().index();
    t.bigInteger('revoked_at');
    t.index(['authorization_id']);
  });
}

/** @param {Knex} knex */
async function upkeep(knex) {
  await knex.schema.createTable('attempts', (t) => {
    t.text('key_hash').primary();
    t.integer('count').notNullable();
    t.bigInteger('expires_at').notNullable().index();
  });
  await knex.schema.createTable('assertion_ids', (t) => {
    t.text('id_hash').primary();
    t.bigInteger('expires_at').notNullable().index();
  });
  await knex.schema.createTable('events', (t) => {
    t.text('id').primary();
    t.bigInteger('at').notNullable();
    t.text('type').notNullable();
    t.text('user_id');
    t.text('client_id');
    t.text('session_id');
    t.text('detail');
    t.bigInteger('expires_at').notNullable().index();
    t.index(['user_id', 'at']);
  });
  await knex.schema.createTable('leases', (t) => {
    t.text('name').primary();
    t.bigInteger('expires_at').notNullable();
  });
  await knex.schema.createTable('cache_versions', (t) => {
    t.text('name').primary();
    t.bigInteger('version').notNullable();
  });
  await knex('cache_versions').insert([
    { name: 'clients', version: 1 },
    { name: 'keys', version: 1 },
    { name: 'resources', version: 1 },
  ]);
  await knex.schema.createTable('setup', (t) => {
    t.text('name').primary();
    t.text('claim_hash');
    t.bigInteger('claim_expires_at');
    t.bigInteger('claimed_at');
  });
  await knex('setup').insert({ name: 'server' });
}
