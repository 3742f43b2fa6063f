// @ts-check
/**
 * What the workers do, one unit each: every answer is checked for its status and its members.
 * @import { ClientName, Server, Work, Workers } from './types.js'
 * @import { Answer, Connection } from './connection.js'
 */
import { authorizationPath, codeOf, createAgent, fetchPage, newPkce, signIn } from './browser.js';
import { headerOf, openConnection, requestText } from './connection.js';

/** @param {Server} server @param {ClientName} client */
function basic(server, client) {
  const { client_id, client_secret } = server.clients[client];
  const pair = `${encodeURIComponent(client_id)}:${encodeURIComponent(client_secret)}`;
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}

/** @param {Server} server @param {Readonly<Record<string, string>>} form @param {ClientName} [client] */
function tokenRequest(server, form, client = 'app') {
  const headers = basic(server, client);
  return requestText(server.issuer, { method: 'POST', path: server.endpoints().token, headers, form });
}

/**
 * The JSON of a good answer. Throws if it is not 200 or a member is missing.
 * @param {Pick<Answer, 'status' | 'body'>} answer
 * @param {readonly string[]} members
 * @returns {Record<string, string>}
 */
function expectJson(answer, members) {
  if (answer.status !== 200) throw new Error(`${answer.status} ${answer.body.slice(0, 200)}`);
  const value = JSON.parse(answer.body);
  const missing = members.find((member) => value[member] === undefined);
  if (missing !== undefined) throw new Error(`an answer without ${missing}`);
  return value;
}

const token_members = ['access_token', 'token_type', 'expires_in'];
const user_token_members = [...token_members, 'id_token', 'refresh_token'];

/**
 * Workers that send one and the same request.
 * @param {Server} server
 * @param {number} count
 * @param {(connection: Connection, i: number) => Work} workOf
 * @returns {Workers}
 */
function connected(server, count, workOf) {
  const connections = Array.from({ length: count }, () => openConnection(server.issuer));
  return {
    work: connections.map(workOf),
    close: () => {
      for (const connection of connections) connection.close();
    },
  };
}

/** @param {Server} server @param {number} count @returns {Promise<Workers>} */
export async function clientCredentialsWorkers(server, count) {
  const text = tokenRequest(server, { grant_type: 'client_credentials', scope: server.scope });
  await assertJwt(server, text);
  return connected(server, count, ({ exchange }) => async () => {
    expectJson(await exchange(text), token_members);
  });
}

/**
 * One client_credentials request on whatever connection of the agent is idle.
 * @param {Server} server
 * @param {import('node:http').Agent} agent
 * @returns {Work}
 */
export function tokenProbe(server, agent) {
  const url = server.issuer + server.endpoints().token;
  const headers = { ...basic(server, 'app'), 'content-type': 'application/x-www-form-urlencoded' };
  const body = new URLSearchParams({ grant_type: 'client_credentials', scope: server.scope }).toString();
  return async () => {
    expectJson(await fetchPage(url, agent, { method: 'POST', headers, body }), token_members);
  };
}

/** Once, before it counts: the token is one of RFC 9068 for the resource. @param {Server} server @param {string} text */
async function assertJwt(server, text) {
  const connection = openConnection(server.issuer);
  const { access_token = '' } = expectJson(await connection.exchange(text), token_members);
  connection.close();
  assertAccessToken(server, access_token);
}

/** @param {Server} server @param {string} access_token */
function assertAccessToken(server, access_token) {
  const [header, claims] = access_token
    .split('.', 2)
    .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()));
  if (header?.alg !== 'RS256' || header.typ !== 'at+jwt' || claims?.aud !== server.resource) {
    throw new Error(`${server.name}: the access token is not an RS256 at+jwt for ${server.resource}`);
  }
}

/**
 * A document that is the same for everybody.
 * @param {Server} server
 * @param {number} count
 * @param {{ readonly path: string, readonly holds: string }} document
 * @returns {Workers}
 */
export function documentWorkers(server, count, { path, holds }) {
  const text = requestText(server.issuer, { method: 'GET', path });
  return connected(server, count, ({ exchange }) => async () => {
    const { status, body } = await exchange(text);
    if (status !== 200 || !body.includes(holds)) throw new Error(`${status} ${body.slice(0, 200)}`);
  });
}

/**
 * Signs in so many times, each in a browser of its own; where there are fewer people, they come again.
 * @param {Server} server
 * @param {ClientName} client
 * @param {number} count
 */
async function openSessions(server, client, count) {
  const agent = createAgent();
  const { people } = server;
  const visits = Array.from({ length: count }, (_, i) => people.slice(i % people.length)[0]);
  const sessions = await Promise.all(
    visits.flatMap((person) => (person ? [signIn(server, { client, person, agent })] : [])),
  );
  agent.destroy();
  return sessions;
}

/**
 * The tokens for a code.
 * @param {Server} server
 * @param {Connection} connection
 * @param {{ readonly code: string, readonly code_verifier: string, readonly client: ClientName }} request
 */
async function redeem(server, connection, { code, code_verifier, client }) {
  const form = { grant_type: 'authorization_code', code, redirect_uri: server.redirect_uri, code_verifier };
  return expectJson(await connection.exchange(tokenRequest(server, form, client)), user_token_members);
}

/**
 * Silent sign-on: people with a session open the application; the server answers at once with a code, which becomes tokens.
 * @param {Server} server
 * @param {number} count
 * @returns {Promise<Workers>}
 */
export async function silentSignOnWorkers(server, count) {
  const sessions = await openSessions(server, 'app', count);
  return connected(server, count, (connection, i) => {
    const cookie = sessions[i]?.cookie ?? '';
    const { code_verifier, code_challenge } = newPkce();
    let flows = 0;
    return async () => {
      flows += 1;
      const state = `state-of-worker-${i}-flow-${flows}`;
      const path = authorizationPath(server, { client: 'app', code_challenge, state });
      const answer = await connection.exchange(
        requestText(server.issuer, { method: 'GET', path, headers: { cookie } }),
      );
      const location = headerOf(answer, 'location');
      if (answer.status !== 303 || !location?.startsWith(server.redirect_uri))
        throw new Error(`${answer.status} to ${location}`);
      await redeem(server, connection, { code: codeOf(location, state), code_verifier, client: 'app' });
    };
  });
}

/**
 * Refresh: each worker has a family of its own and always presents the newest token of it.
 * @param {Server} server
 * @param {number} count
 * @returns {Promise<Workers>}
 */
export async function refreshWorkers(server, count) {
  const workersOf = await openFamilies(server, count);
  return workersOf();
}

/**
 * So many families of refresh tokens, which outlive a restart of the server: gives workers for them, each time on new connections.
 * @param {Server} server
 * @param {number} count
 * @returns {Promise<() => Workers>}
 */
export async function openFamilies(server, count) {
  const tokens = await openTokens(server, 'app', count);
  for (const { access_token = '' } of tokens) assertAccessToken(server, access_token);
  const newest = tokens.map(({ refresh_token = '' }) => refresh_token);
  return () =>
    connected(server, count, ({ exchange }, i) => async () => {
      const form = { grant_type: 'refresh_token', refresh_token: newest[i] ?? '' };
      const answer = await exchange(tokenRequest(server, form));
      const fresh = expectJson(answer, user_token_members).refresh_token ?? '';
      if (fresh === newest[i]) throw new Error('the refresh token was not rotated');
      newest[i] = fresh;
    });
}

/** @param {Server} server @param {ClientName} client @param {number} count */
async function openTokens(server, client, count) {
  const sessions = await openSessions(server, client, count);
  const connection = openConnection(server.issuer);
  const tokens = [];
  for (const { code, code_verifier } of sessions)
    tokens.push(await redeem(server, connection, { code, code_verifier, client }));
  connection.close();
  return tokens;
}

/** @param {Server} server @param {number} count @returns {Promise<Workers>} */
export async function userinfoWorkers(server, count) {
  const tokens = await openTokens(server, 'profile', count);
  return connected(server, count, ({ exchange }, i) => {
    const headers = { authorization: `Bearer ${tokens[i]?.access_token}` };
    const text = requestText(server.issuer, { method: 'GET', path: server.endpoints().userinfo, headers });
    const { email } = server.people[i] ?? {};
    return async () => {
      const claims = expectJson(await exchange(text), ['sub', 'name', 'given_name', 'email_verified']);
      if (claims.email !== email) throw new Error('the claims of somebody else');
    };
  });
}

/**
 * People who sign in with their password, each time as if never seen before: from the authorization request to the code.
 * @param {Server} server
 * @param {number} count
 * @returns {Workers}
 */
export function signInWorkers(server, count) {
  const agent = createAgent();
  const work = server.people.slice(0, count).map((person) => async () => {
    await signIn(server, { client: 'app', person, agent });
  });
  return { work, close: () => agent.destroy() };
}

/**
 * So many access tokens of the client `app` for itself, each another.
 * @param {Server} server
 * @param {number} count
 */
export async function accessTokens(server, count) {
  const text = tokenRequest(server, { grant_type: 'client_credentials', scope: server.scope });
  const connections = Array.from({ length: Math.min(16, count) }, () => openConnection(server.issuer));
  /** @type {string[]} */
  const tokens = [];
  await Promise.all(
    connections.map(async ({ exchange, close }) => {
      while (tokens.length < count) {
        const { access_token = '' } = expectJson(await exchange(text), token_members);
        tokens.push(access_token);
      }
      close();
    }),
  );
  return tokens.slice(0, count);
}

/** The revocation endpoint, until it has answered. @param {Server} server @param {string} token */
export async function revoke(server, token) {
  const headers = { ...basic(server, 'app'), 'content-type': 'application/x-www-form-urlencoded' };
  const answer = await fetch(`${server.issuer}/revoke`, {
    method: 'POST',
    headers,
    body: new URLSearchParams({ token }),
  });
  if (answer.status !== 200) throw new Error(`${answer.status} of the revocation endpoint`);
}
