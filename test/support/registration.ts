/** Applications that register themselves at the real server. */
import { addClient, type NewClient } from '../../src/actions/clients.js';
import { commandsOf } from './cli.js';
import { type IdpOptions, type JsonAnswer, startIdp, type TestIdp } from './idp.js';

/** What an application says of itself at least. */
export const cb = 'https://app.example/cb';
export const good = { client_name: 'App', redirect_uris: [cb] };

/** A server at which everybody may register. */
export function startOpen({ settings, ...options }: IdpOptions = {}): Promise<TestIdp> {
  return startIdp({ ...options, settings: { CLIENT_REGISTRATION: 'open', ...settings } });
}

export interface Sent {
  readonly method?: string;
  readonly body?: unknown;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends JSON, or a text as it is, to an address of the server. */
async function send(idp: TestIdp, path: string, sent: Sent): Promise<JsonAnswer> {
  const { method = 'GET', body, token, headers } = sent;
  const response = await idp.fetch(path, {
    method,
    headers: {
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const json = response.headers.get('content-type')?.startsWith('application/json');
  return { status: response.status, headers: response.headers, body: json ? JSON.parse(text) : text };
}

export function register(idp: TestIdp, body: unknown = good, sent: Sent = {}): Promise<JsonAnswer> {
  return send(idp, '/register', { method: 'POST', body, ...sent });
}

/** A client that has registered itself: what it was told. Throws where it was refused. */
export async function registered(idp: TestIdp, metadata: object = {}, sent: Sent = {}) {
  const { status, body } = await register(idp, { ...good, ...metadata }, sent);
  if (status !== 201) throw new Error(`${status} ${JSON.stringify(body)}`);
  return body as { client_id: string; client_secret?: string; registration_access_token: string };
}

/** A request of a client about itself. */
export function manage(
  idp: TestIdp,
  client: { readonly client_id: string; readonly registration_access_token: string },
  sent: Sent = {},
): Promise<JsonAnswer> {
  return send(idp, `/register/${client.client_id}`, { token: client.registration_access_token, ...sent });
}

/** A client as it is once it registered itself, at any server. */
export function addStranger(idp: TestIdp, metadata: object, client_id?: string): Promise<NewClient> {
  const registration = { registration_token_hash: '', initial_token_id: null, admit: async () => {} };
  return addClient(
    idp.deps,
    { ...good, require_pkce: false, ...metadata },
    idp.now(),
    client_id,
    registration,
  );
}

/** An initial access token, as the operator makes one. */
export async function initialToken(idp: TestIdp, ...args: readonly string[]): Promise<string> {
  const { token } = await commandsOf(idp).json('clients', 'registration-token', 'add', ...args);
  return token;
}
