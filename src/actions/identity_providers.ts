/** Other providers that people may sign in with: adding, changing and removing them. Every process knows within a second. */
import { z } from 'zod';
import type { Deps } from '../deps.js';
import { OutboundError } from '../limits/outbound.js';
import { checkedUrl } from '../limits/outbound_address.js';
import { jwsAlgs } from '../oauth/algorithms.js';
import { UserError } from '../oauth/errors.js';
import { parseScope, scopeWords } from '../oauth/scope.js';
import type { Trx } from '../store/db.js';
import * as identityProviders from '../store/identity_providers.js';
import { sealClientSecret } from '../upstream/client_secret.js';
import { profileClaims } from '../upstream/profile.js';
import { changing } from './changing.js';

const change = changing('identity_providers');

type ProviderDeps = Pick<Deps, 'caches' | 'config' | 'db' | 'keys'>;
type Row = identityProviders.IdentityProviderRow;

const url = z
  .string()
  .max(2048)
  .regex(/^[\x21-\x7e]*$/, 'is no URL')
  .transform((text) => (text === '' ? null : text));
const words = z.array(z.string().regex(/^[\x21-\x7e]{1,500}$/, 'is not one word')).max(50);
const domain = z
  .string()
  .max(253)
  .regex(/^[\p{L}\p{N}-]+(\.[\p{L}\p{N}-]+)+$/u, 'is no mail domain');

/** What an operator says of a provider. An empty text, or an empty list, takes away what was said before. */
const told = z.strictObject({
  display_name: z
    .string()
    .trim()
    .regex(/^\P{Cc}{1,100}$/u, 'must be 1 to 100 characters'),
  authorization_endpoint: url,
  token_endpoint: url,
  userinfo_endpoint: url,
  emails_endpoint: url,
  claim_names: z.partialRecord(z.enum(profileClaims), z.string().min(1).max(100)),
  client_id: z.string().regex(/^[\x20-\x7e]{1,255}$/, 'must be 1 to 255 characters'),
  client_secret: z
    .string()
    .max(2048)
    .regex(/^\P{Cc}*$/u, 'holds a control character'),
  token_endpoint_auth_method: z.enum(['client_secret_basic', 'client_secret_post']),
  id_token_signed_response_alg: z.enum(jwsAlgs as [string, ...string[]]),
  scope: words,
  mail_domains: z.array(domain).max(50),
  trust_email_verified: z.boolean(),
  trust_mfa: z.boolean(),
  mfa_acr_values: words,
  registration: z.boolean(),
  sign_out: z.enum(identityProviders.signOuts),
  enabled: z.boolean(),
});

export type ProviderChanges = Partial<z.input<typeof told>>;

export interface NewProvider extends ProviderChanges {
  readonly kind: identityProviders.ProviderKind;
  readonly issuer: string | undefined;
}

/**
 * Adds a provider; its answers come to `/upstream/ID/callback`, so the id stays. Throws UserError `invalid_input` naming all that is
 * wrong, or `conflict`.
 */
export async function addProvider(
  deps: ProviderDeps,
  id: string,
  { kind, issuer = '', ...changes }: NewProvider,
  now: number,
): Promise<Row> {
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(id) || id.length > 40)
    throw new UserError('invalid_input', { key: 'providers.id', values: { id } }, 'id');
  const openid = kind === 'oidc';
  const empty: Row = {
    ...{ id, display_name: id, kind, issuer: issuer === '' ? null : issuer, client_id: '' },
    ...{ authorization_endpoint: null, token_endpoint: null, userinfo_endpoint: null, emails_endpoint: null },
    ...{ claim_names: '{}', client_secret_sealed: null },
    token_endpoint_auth_method: openid ? 'client_secret_basic' : 'client_secret_post',
    id_token_signed_response_alg: 'RS256',
    scope: openid ? 'openid profile email' : '',
    ...{ mail_domains: '', trust_email_verified: 0, trust_mfa: 0, mfa_acr_values: '' },
    ...{ registration: 0, sign_out: 'offer', created_at: now, updated_at: now, disabled_at: null },
  };
  const row = checked(deps, { ...empty, ...(await columnsOf(deps, id, changes, now)) });
  await change(deps, { type: 'provider_added', detail: id }, now, async (trx) => {
    await assertDomainsFree(trx, row);
    if (!(await identityProviders.insert(trx, row)))
      throw new UserError('conflict', { key: 'providers.exists', values: { id } });
  });
  return row;
}

/**
 * Changes a provider: only what is named. What it is and its issuer stay: the subjects of another would be other people. Throws UserError
 * `not_found`, `invalid_input`, or `conflict` where somebody changed it at the same time.
 */
export async function updateProvider(
  deps: ProviderDeps,
  id: string,
  changes: ProviderChanges,
  now: number,
): Promise<Row> {
  const before = await loadProvider(deps, id);
  const updated_at = Math.max(now, before.updated_at + 1); // tells changes of the same second apart
  const columns = await columnsOf(deps, id, changes, now);
  const row = checked(deps, { ...before, ...columns, updated_at });
  await change(deps, { type: 'provider_updated', detail: id }, now, async (trx) => {
    await assertDomainsFree(trx, row);
    if (!(await identityProviders.update(trx, row, before.updated_at)))
      throw new UserError('conflict', { key: 'providers.changed', values: { id } });
  });
  return row;
}

/** Removes a provider; nobody signs in with it any more. Sessions go on. Throws UserError `not_found`. */
export async function removeProvider(deps: ProviderDeps, id: string, now: number): Promise<void> {
  await change(deps, { type: 'provider_removed', detail: id }, now, async (trx) => {
    if (!(await identityProviders.remove(trx, id))) throw notFound(id);
  });
}

/** A provider by its id, read from the database. Throws UserError `not_found`. */
export async function loadProvider({ db }: Pick<Deps, 'db'>, id: string): Promise<Row> {
  const row = await identityProviders.find(db, id);
  if (row === undefined) throw notFound(id);
  return row;
}

/** What is to be written, each member checked by itself. */
async function columnsOf(
  { keys }: Pick<Deps, 'keys'>,
  id: string,
  changes: ProviderChanges,
  now: number,
): Promise<Partial<Row>> {
  const parsed = told.partial().safeParse(changes);
  if (!parsed.success)
    throw invalid(parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`));
  const { client_secret, claim_names, scope, mail_domains, mfa_acr_values, enabled, ...rest } = parsed.data;
  const { trust_email_verified, trust_mfa, registration, ...texts } = rest;
  return {
    ...(texts as Partial<Row>), // what was not told is not there
    ...(client_secret !== undefined && {
      client_secret_sealed:
        client_secret === '' ? null : sealClientSecret(await keys.get(), id, client_secret),
    }),
    ...(claim_names !== undefined && { claim_names: JSON.stringify(claim_names) }),
    ...(scope !== undefined && { scope: parseScope(scope.join(' ')).join(' ') }),
    ...(mail_domains !== undefined && { mail_domains: canonicalDomains(mail_domains) }),
    ...(mfa_acr_values !== undefined && { mfa_acr_values: mfa_acr_values.join(' ') }),
    ...(trust_email_verified !== undefined && { trust_email_verified: Number(trust_email_verified) }),
    ...(trust_mfa !== undefined && { trust_mfa: Number(trust_mfa) }),
    ...(registration !== undefined && { registration: Number(registration) }),
    ...(enabled !== undefined && { disabled_at: enabled ? null : now }),
  };
}

/** Domains as they are compared. */
function canonicalDomains(domains: readonly string[]): string {
  return [...new Set(domains.map((one) => one.normalize('NFC').toLowerCase()))].join(' ');
}

/** What must be there together. Throws UserError `invalid_input`. */
function checked({ config }: Pick<Deps, 'config'>, row: Row): Row {
  const { kind, issuer, client_id, scope } = row;
  const endpoints = [
    'authorization_endpoint',
    'token_endpoint',
    'userinfo_endpoint',
    'emails_endpoint',
  ] as const;
  const faults: string[] = [];
  if (client_id === '') faults.push('client_id: is missing');
  if (kind === 'oidc') {
    if (issuer === null) faults.push('issuer: an OpenID provider has one');
    if (!scopeWords(scope).includes('openid')) faults.push('scope: must hold openid');
    for (const name of endpoints)
      if (row[name] !== null) faults.push(`${name}: an OpenID provider’s discovery document names it`);
  } else {
    for (const name of ['authorization_endpoint', 'token_endpoint', 'userinfo_endpoint'] as const)
      if (row[name] === null) faults.push(`${name}: is missing`);
  }
  for (const name of ['issuer', ...endpoints] as const) {
    const fault = row[name] === null ? null : urlFault(config, row[name]);
    if (fault !== null) faults.push(`${name}: ${fault}`);
  }
  if (faults.length > 0) throw invalid(faults);
  return row;
}

/** The rules of the outbound gate: what it would refuse later is refused now. */
function urlFault({ loopback, OUTBOUND_ALLOWED_HOSTS }: Deps['config'], text: string): string | null {
  try {
    const { hash } = checkedUrl(text, { loopback, allowed_hosts: OUTBOUND_ALLOWED_HOSTS });
    return hash === '' ? null : 'has a fragment';
  } catch (error) {
    if (error instanceof OutboundError) return error.message;
    throw error;
  }
}

/** A domain belongs to one provider: an address is sent to one place. */
async function assertDomainsFree(trx: Trx, { id, mail_domains }: Row): Promise<void> {
  const others = (await identityProviders.list(trx)).filter((other) => other.id !== id);
  for (const one of scopeWords(mail_domains)) {
    const other = others.find((row) => scopeWords(row.mail_domains).includes(one));
    if (other !== undefined)
      throw new UserError('conflict', {
        key: 'providers.domain_taken',
        values: { domain: one, id: other.id },
      });
  }
}

function invalid(faults: readonly string[]): UserError {
  return new UserError('invalid_input', { key: 'admin.faults', values: { faults: faults.join('; ') } });
}

function notFound(id: string): UserError {
  return new UserError('not_found', { key: 'providers.none', values: { id } });
}
