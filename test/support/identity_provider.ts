/** Other providers as rows, for tests that need no command line. */
import * as identityProviders from '../../src/store/identity_providers.js';
import { sealClientSecret } from '../../src/upstream/client_secret.js';
import type { Browser, Page } from './browser.js';
import { signIn } from './flow.js';
import { startIdp, type TestIdp } from './idp.js';

type Row = identityProviders.IdentityProviderRow;

/** A provider's row; what is not told is as the command line has it. */
export function providerRow(changes: Partial<Row> & Pick<Row, 'id'>): Row {
  return {
    ...{ display_name: 'Elsewhere', kind: 'oidc', issuer: null, client_id: 'here' },
    ...{ authorization_endpoint: null, token_endpoint: null, userinfo_endpoint: null, emails_endpoint: null },
    ...{ claim_names: '{}', client_secret_sealed: null, token_endpoint_auth_method: 'client_secret_basic' },
    ...{ id_token_signed_response_alg: 'RS256', scope: 'openid profile email', mail_domains: '' },
    ...{ trust_email_verified: 0, trust_mfa: 0, mfa_acr_values: '', registration: 0, sign_out: 'offer' },
    ...{ created_at: 1, updated_at: 1, disabled_at: null },
    ...changes,
  };
}

/** Adds a provider. `client_secret` is what we were given there. */
export async function addProvider(
  idp: TestIdp,
  { client_secret, ...changes }: Partial<Row> & Pick<Row, 'id'> & { readonly client_secret?: string | null },
): Promise<Row> {
  const ring = await idp.deps.keys.get();
  const sealed = client_secret ? sealClientSecret(ring, changes.id, client_secret) : null;
  const row = providerRow({ client_secret_sealed: sealed, ...changes });
  await identityProviders.insert(idp.db, row);
  return row;
}

/** Another server of ours, as the provider `elsewhere`, at which we are registered, and where somebody has an account. */
export async function startUpstream(
  here: TestIdp,
  {
    client = {},
    user = {},
    ...changes
  }: Partial<Row> & { readonly client?: object; readonly user?: object } = {},
) {
  const there = await startIdp();
  const id = changes.id ?? 'elsewhere';
  const registered = await there.addClient({
    redirect_uris: [`${here.issuer}/upstream/${id}/callback`],
    post_logout_redirect_uris: [`${here.issuer}/upstream/${id}/signed-out`],
    backchannel_logout_uri: `${here.issuer}/upstream/${id}/backchannel-logout`,
    grant_types: ['authorization_code'],
    ...client,
  });
  const person = await there.addUser({ email: 'ada@elsewhere.example', claims: { name: 'Ada L.' }, ...user });
  const { client_id } = registered.client;
  const { client_secret } = registered;
  const row = await addProvider(here, { ...changes, id, issuer: there.issuer, client_id, client_secret });
  return { there, row, person, client: registered };
}

/** The person signs in there: `location` is where we sent the browser. Gives the address that it is sent back to. */
export async function visitUpstream(browser: Browser, location: string): Promise<string> {
  let page: Page = await browser.get(location);
  if (page.html.includes('name="password"'))
    page = await signIn(browser, page, { email: 'ada@elsewhere.example' });
  if (page.html.includes('id="allow"')) page = await browser.submit(page, { action: 'allow' });
  return page.headers.get('location') ?? '';
}
