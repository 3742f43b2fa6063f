// @ts-check
/**
 * A browser as far as signing in needs one: cookies, redirects, forms. On node:http with a keep-alive agent.
 * @import { ClientName, Person, Server } from './types.js'
 */
import { createHash, randomBytes } from 'node:crypto';
import { Agent, request } from 'node:http';

/**
 * @typedef {object} Page
 * @property {number} status
 * @property {string} url
 * @property {string | undefined} location
 * @property {readonly string[]} set_cookie
 * @property {string} body
 *
 * @typedef {object} Request
 * @property {string} [method]
 * @property {Readonly<Record<string, string>>} [headers]
 * @property {string} [body]
 */

const patience_ms = 60_000;
const most_steps = 12;

/** Connections that are kept open. */
export function createAgent() {
  return new Agent({ keepAlive: true, maxSockets: 128 });
}

/**
 * @param {string} url
 * @param {Agent} agent
 * @param {Request} [options]
 * @returns {Promise<Page>}
 */
export function fetchPage(url, agent, { method = 'GET', headers = {}, body } = {}) {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, agent, headers, timeout: patience_ms }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (/** @type {string} */ chunk) => {
        text += chunk;
      });
      answer.on('error', reject).on('end', () => {
        const { statusCode: status = 0, headers: got } = answer;
        resolve({ status, url, location: got.location, set_cookie: got['set-cookie'] ?? [], body: text });
      });
    });
    sent.on('timeout', () => sent.destroy(new Error('no answer')));
    sent.on('error', reject);
    sent.end(body);
  });
}

/** The cookies of one browser for one host. */
function createJar() {
  /** @type {Map<string, string>} */
  const cookies = new Map();
  return {
    /** @param {readonly string[]} set_cookie */
    take(set_cookie) {
      for (const line of set_cookie) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
        if (value === '' || /expires=Thu, 01 Jan 1970|max-age=0/i.test(line)) cookies.delete(name);
        else cookies.set(name, value);
      }
    },
    header: () => [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
  };
}

/** A code_verifier and its challenge. RFC 7636 §4. */
export function newPkce() {
  const code_verifier = randomBytes(32).toString('base64url');
  return { code_verifier, code_challenge: createHash('sha256').update(code_verifier).digest('base64url') };
}

/**
 * The query of an authorization request.
 * @param {Server} server
 * @param {{ readonly client: ClientName, readonly code_challenge: string, readonly state: string }} request
 */
export function authorizationPath(server, { client, code_challenge, state }) {
  const query = new URLSearchParams({
    client_id: server.clients[client].client_id,
    redirect_uri: server.redirect_uri,
    response_type: 'code',
    scope: client === 'app' ? `openid profile email ${server.scope}` : 'openid profile email',
    state,
    nonce: state,
    code_challenge,
    code_challenge_method: 'S256',
  });
  return `${server.endpoints().authorization}?${query}`;
}

/**
 * A person who never was here before opens an application and signs in: authorization request, login form, consent where it is
 * asked for, and back to the application with a code. Throws if it ends anywhere else.
 * @param {Server} server
 * @param {{ readonly client: ClientName, readonly person: Person, readonly agent: Agent }} who
 */
export async function signIn(server, { client, person, agent }) {
  const jar = createJar();
  const { code_verifier, code_challenge } = newPkce();
  const state = randomBytes(16).toString('base64url');
  let url = server.issuer + authorizationPath(server, { client, code_challenge, state });
  /** @type {Request} */
  let next = {};
  for (let step = 0; step < most_steps; step += 1) {
    const page = await fetchPage(url, agent, { ...next, headers: { ...next.headers, cookie: jar.header() } });
    jar.take(page.set_cookie);
    if (page.location?.startsWith(server.redirect_uri)) {
      return { code: codeOf(page.location, state), code_verifier, cookie: jar.header() };
    }
    if (page.location !== undefined) {
      url = new URL(page.location, url).href;
      next = {};
    } else if (page.status === 200) {
      const { action, fields } = readForm(page.body, person);
      url = new URL(action, url).href;
      const body = new URLSearchParams(fields).toString();
      next = { method: 'POST', body, headers: { 'content-type': 'application/x-www-form-urlencoded' } };
    } else {
      throw new Error(`sign-in: ${page.status} at ${new URL(url).pathname}`);
    }
  }
  throw new Error(`sign-in: no code after ${most_steps} steps`);
}

/**
 * The code of an authorization response. Throws if it is an error or answers another request.
 * @param {string} location
 * @param {string} state
 */
export function codeOf(location, state) {
  const query = new URL(location).searchParams;
  const code = query.get('code');
  if (code === null || query.get('state') !== state)
    throw new Error(`no code: ${query.get('error') ?? location}`);
  return code;
}

/**
 * The first form of a page as a person fills it in who presses its first button.
 * @param {string} html
 * @param {Person} person
 */
function readForm(html, person) {
  const form = /<form\b([^>]*)>([\s\S]*?)<\/form>/.exec(html);
  if (form === null) throw new Error('sign-in: a page without a form');
  const [, opening = '', inside = ''] = form;
  const typed = { email: person.email, password: person.password };
  const hidden = [...inside.matchAll(/<input\b[^>]*>/g)].map(([tag]) => attributes(tag));
  const button = attributes(/<button\b[^>]*type="submit"[^>]*>/.exec(inside)?.[0] ?? '');
  /** @type {Record<string, string>} */
  const fields = {};
  for (const { name = '', value = '' } of hidden) fields[name] = value;
  for (const [name, value] of Object.entries(typed)) if (name in fields) fields[name] = value;
  if (button.name !== undefined) fields[button.name] = button.value ?? '';
  return { action: attributes(opening).action ?? '', fields };
}

/**
 * @param {string} tag
 * @returns {Record<string, string | undefined>}
 */
function attributes(tag) {
  return Object.fromEntries(
    [...tag.matchAll(/([a-z-]+)="([^"]*)"/g)].map(([, name, value = '']) => [
      name,
      value.replaceAll('&amp;', '&'),
    ]),
  );
}
