/** What the demo's database begins with: one person, one API and the client that acts for it, two applications. The same could be typed on the command line. */
import { addClient } from '../actions/clients.js';
import { addResource } from '../actions/resources.js';
import { insertUser, newUserRow } from '../actions/users.js';
import type { Deps } from '../deps.js';
import { hashPassword } from '../factors/password.js';
import * as setup from '../store/setup.js';
import type { Urls } from './ports.js';

export const person = { email: 'demo@example.com', password: 'demo password' } as const;

/** What the apps ask for. `api:read` is a scope of the API; the others say what they learn of the person. */
export const scope = 'openid profile email api:read';

const claims = {
  name: 'Dana Demo',
  given_name: 'Dana',
  family_name: 'Demo',
  preferred_username: 'dana',
  website: 'https://dana.example',
  zoneinfo: 'Europe/Lisbon',
  locale: 'en',
};

export interface Credentials {
  readonly client_id: string;
  readonly client_secret: string;
}

export interface Seeded {
  readonly user_id: string;
  readonly app_a: Credentials;
  readonly app_b: Credentials;
  /** Of the API itself: it listens for revocations with them. */
  readonly api: Credentials;
}

/** Fills an empty database. App A belongs to the operator, so nobody is asked for consent; App B is somebody else's. */
export async function seed(deps: Deps, urls: Urls): Promise<Seeded> {
  const now = deps.clock();
  const row = newUserRow({ ...person, email_verified: true, roles: [], claims }, now);
  const secret = await hashPassword(deps.hashing, deps.config, person.password); // not judged: it stands in the README
  await deps.db.transaction(async (trx) => {
    await insertUser(trx, deps, row, secret);
    await setup.claimByOperator(trx, now); // a throw-away server needs no administrator
  });
  const api = await addConfidential(deps, 'api', {
    client_name: 'API',
    grant_types: ['client_credentials'],
    redirect_uris: [],
    scope: 'api:read',
  });
  await addResource(deps, urls.api, { scope: ['api:read'], client_id: api.client_id }, now);
  return {
    ...{ user_id: row.id, api },
    app_a: await register(deps, 'app-a', { client_name: 'App A', url: urls.app_a, first_party: true }),
    app_b: await register(deps, 'app-b', { client_name: 'App B', url: urls.app_b, first_party: false }),
  };
}

interface Registration {
  readonly client_name: string;
  readonly url: string;
  readonly first_party: boolean;
}

/** An app that is told of the end of a session, too (OpenID Connect Back-Channel Logout 1.0). */
function register(deps: Deps, client_id: string, { url, ...rest }: Registration): Promise<Credentials> {
  return addConfidential(deps, client_id, {
    ...rest,
    client_uri: url,
    redirect_uris: [`${url}/callback`],
    post_logout_redirect_uris: [`${url}/signed-out`],
    backchannel_logout_uri: `${url}/backchannel-logout`,
    backchannel_logout_session_required: true,
    scope,
  });
}

/** A confidential client: it has a server of its own, so it can keep a secret. */
async function addConfidential(deps: Deps, client_id: string, metadata: object): Promise<Credentials> {
  const full = { ...metadata, token_endpoint_auth_method: 'client_secret_basic' };
  const { client_secret } = await addClient(deps, full, deps.clock(), client_id);
  if (client_secret === null) throw new Error('a client of client_secret_basic gets a secret');
  return { client_id, client_secret };
}
