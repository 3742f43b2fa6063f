/**
 * Table identity_providers: one row for each other provider that people may sign in with. Flags are 0 or 1; the client_secret is sealed
 * (decisions 9).
 */
import type { Db, Queryable, Trx } from './db.js';
import { statement } from './statement.js';

export const providerKinds = ['oidc', 'oauth2'] as const;
export type ProviderKind = (typeof providerKinds)[number];

export const signOuts = ['off', 'offer', 'always'] as const;

export interface IdentityProviderRow {
  /** Part of its redirect URI. */
  id: string;
  display_name: string;
  kind: ProviderKind;
  /** An OpenID provider has one. Another server may: then its answers must name it (RFC 9207). */
  issuer: string | null;
  /** Null for an OpenID provider, as the other endpoints: its discovery document names them. */
  authorization_endpoint: string | null;
  token_endpoint: string | null;
  userinfo_endpoint: string | null;
  emails_endpoint: string | null;
  /** A JSON object: for each claim of ours the member that holds it there. */
  claim_names: string;
  client_id: string;
  /** Null for a public client. */
  client_secret_sealed: string | null;
  token_endpoint_auth_method: string;
  id_token_signed_response_alg: string;
  scope: string;
  /** Words separated by spaces, in lower case: whoever types an address there is sent to this provider. */
  mail_domains: string;
  /** Whether its email_verified counts here. */
  trust_email_verified: number;
  /** Whether its word counts that it asked for two factors. */
  trust_mfa: number;
  /** Words separated by spaces: the acr values by which it says so, where it does not say it in amr. */
  mfa_acr_values: string;
  /** Whether people without an account here get one. */
  registration: number;
  /** Whether who signs out here is asked, or sent, to sign out there as well. */
  sign_out: (typeof signOuts)[number];
  created_at: number;
  updated_at: number;
  disabled_at: number | null;
}

const insertProvider = statement<IdentityProviderRow>((sql, value) =>
  sql('identity_providers')
    .insert({
      id: value.id,
      display_name: value.display_name,
      kind: value.kind,
      issuer: value.issuer,
      authorization_endpoint: value.authorization_endpoint,
      token_endpoint: value.token_endpoint,
      userinfo_endpoint: value.userinfo_endpoint,
      emails_endpoint: value.emails_endpoint,
      claim_names: value.claim_names,
      client_id: value.client_id,
      client_secret_sealed: value.client_secret_sealed,
      token_endpoint_auth_method: value.token_endpoint_auth_method,
      id_token_signed_response_alg: value.id_token_signed_response_alg,
      scope: value.scope,
      mail_domains: value.mail_domains,
      trust_email_verified: value.trust_email_verified,
      trust_mfa: value.trust_mfa,
      mfa_acr_values: value.mfa_acr_values,
      registration: value.registration,
      sign_out: value.sign_out,
      created_at: value.created_at,
      updated_at: value.updated_at,
      disabled_at: value.disabled_at,
    })
    .onConflict('id')
    .ignore(),
);

/** Adds a provider. False if the id is taken. */
export async function insert(db: Db | Trx, row: IdentityProviderRow): Promise<boolean> {
  return (await db.run(insertProvider, row)) === 1;
}

const all = statement<Record<never, never>, IdentityProviderRow>((sql) =>
  sql('identity_providers').orderBy('display_name').orderBy('id'),
);

/** All providers, in the order that people see them. */
export function list(db: Queryable): Promise<IdentityProviderRow[]> {
  return db.all(all, {});
}

const byId = statement<{ id: string }, IdentityProviderRow>((sql, value) =>
  sql('identity_providers').where({ id: value.id }),
);

export function find(db: Queryable, id: string): Promise<IdentityProviderRow | undefined> {
  return db.first(byId, { id });
}

type Changed = Omit<IdentityProviderRow, 'kind' | 'issuer' | 'created_at'>;

const updateProvider = statement<Changed & { before: number }>((sql, value) =>
  sql('identity_providers').where({ id: value.id, updated_at: value.before }).update({
    display_name: value.display_name,
    authorization_endpoint: value.authorization_endpoint,
    token_endpoint: value.token_endpoint,
    userinfo_endpoint: value.userinfo_endpoint,
    emails_endpoint: value.emails_endpoint,
    claim_names: value.claim_names,
    client_id: value.client_id,
    client_secret_sealed: value.client_secret_sealed,
    token_endpoint_auth_method: value.token_endpoint_auth_method,
    id_token_signed_response_alg: value.id_token_signed_response_alg,
    scope: value.scope,
    mail_domains: value.mail_domains,
    trust_email_verified: value.trust_email_verified,
    trust_mfa: value.trust_mfa,
    mfa_acr_values: value.mfa_acr_values,
    registration: value.registration,
    sign_out: value.sign_out,
    updated_at: value.updated_at,
    disabled_at: value.disabled_at,
  }),
);

/**
 * Writes a changed provider; what it is and its issuer stay, since its subjects are nobody else's. False if somebody changed it since it
 * was read at `before` (its updated_at then).
 */
export async function update(trx: Trx, row: IdentityProviderRow, before: number): Promise<boolean> {
  return (await trx.run(updateProvider, { ...row, before })) === 1;
}

const deleteProvider = statement<{ id: string }>((sql, value) =>
  sql('identity_providers').where({ id: value.id }).delete(),
);

/** Removes a provider with the identities of its people. False if there is none. */
export async function remove(trx: Trx, id: string): Promise<boolean> {
  return (await trx.run(deleteProvider, { id })) === 1;
}
