/**
 * The peer: oidc-provider set to do the same work as the server it is compared with. Started by bench/lib/servers.js as
 * `node oidc_provider.js setup.json`; the file says where it listens, where its data are, and who its people and clients are.
 *
 * The same: RS256 with one RSA-2048 key, client_secret_basic, PKCE S256 required, refresh tokens given out and rotated, access
 * tokens as at+jwt for the resource that is each client's default, claims in the ID token, argon2id m=19456 t=2 p=1, a durable
 * database. Different, since it knows nothing else: its userinfo endpoint takes opaque access tokens that it stored.
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { hash, verify } from 'argon2';
import Database from 'better-sqlite3';
import Provider from 'oidc-provider';
import { createAdapter } from './adapter.js';

const argon2id = { type: 2, memoryCost: 19456, timeCost: 2, parallelism: 1 };
const day = 86_400;

const setup = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const database = new Database(join(setup.dir, 'peer.sqlite'));
database.pragma('journal_mode = wal');
database.pragma('synchronous = full');
const people = await openPeople(database);
const secrets = openSecrets();
const provider = new Provider(setup.issuer, configuration());
const server = createServer(handler(provider.callback()));
server.keepAliveTimeout = 65_000;
server.listen(new URL(setup.issuer).port, '127.0.0.1');

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, () => {
    server.close(() => {
      database.close();
      process.exit(0);
    });
    server.closeAllConnections();
  });
}

function configuration() {
  const firstParty = new Set(
    setup.clients.filter((client) => client.first_party).map((client) => client.name),
  );
  const resourceOf = new Map(setup.clients.map((client) => [client.name, client.resource ?? undefined]));
  return {
    adapter: createAdapter(database),
    jwks: { keys: [secrets.jwk] },
    cookies: { keys: secrets.cookies },
    clients: setup.clients.map(({ name, client_secret }) => ({
      client_id: name,
      client_secret,
      redirect_uris: [setup.redirect_uri],
      grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
      token_endpoint_auth_method: 'client_secret_basic',
    })),
    claims: {
      openid: ['sub'],
      profile: ['name', 'given_name', 'family_name'],
      email: ['email', 'email_verified'],
      auth_time: null,
      acr: null,
      amr: null,
      sid: null,
    },
    conformIdTokenClaims: false, // claims in the ID token, as the other server gives them
    findAccount(_ctx, id) {
      const person = people.find(id);
      return person && { accountId: id, claims: async () => ({ sub: id, ...person, email_verified: true }) };
    },
    pkce: { required: () => true },
    issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: true,
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: async (_ctx, client, oneOf) => oneOf ?? resourceOf.get(client.clientId),
        useGrantedResource: async () => true,
        getResourceServerInfo: async (_ctx, audience) => ({
          scope: setup.scope,
          audience,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
    ttl: {
      AccessToken: 3600,
      AuthorizationCode: 60,
      ClientCredentials: 600,
      Grant: 30 * day,
      IdToken: 600,
      Interaction: 900,
      RefreshToken: 30 * day,
      Session: day,
    },
    // First-party clients need no consent, on both servers: this is oidc-provider's own recipe for it.
    async loadExistingGrant(ctx) {
      const { client, session, result } = ctx.oidc;
      const grant_id = result?.consent?.grantId ?? session.grantIdFor(client.clientId);
      if (grant_id) return ctx.oidc.provider.Grant.find(grant_id);
      return firstParty.has(client.clientId) ? grantAll(client.clientId, session.accountId) : undefined;
    },
  };
}

async function grantAll(clientId, accountId) {
  const grant = new provider.Grant({ clientId, accountId });
  grant.addOIDCScope('openid profile email');
  grant.addResourceScope(setup.resource, setup.scope);
  await grant.save();
  return grant;
}

/** Our two pages in front of oidc-provider. */
function handler(oidc) {
  return (req, res) => {
    if (!req.url.startsWith('/interaction/')) return oidc(req, res);
    const answer = req.method === 'POST' ? submitted(req, res) : shown(req, res);
    answer.catch((error) => {
      console.error(error);
      res.writeHead(500).end('error');
    });
  };
}

async function shown(req, res) {
  const { uid, prompt } = await provider.interactionDetails(req, res);
  const fields =
    prompt.name === 'login'
      ? '<input type="email" name="email"><input type="password" name="password"><button type="submit" name="action" value="sign_in">Sign in</button>'
      : '<button type="submit" name="action" value="allow">Allow</button>';
  const html = `<!doctype html><title>${prompt.name}</title><form method="post" action="/interaction/${uid}">${fields}</form>`;
  res
    .writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'content-length': Buffer.byteLength(html) })
    .end(html);
}

async function submitted(req, res) {
  const { prompt, params, session } = await provider.interactionDetails(req, res);
  const result =
    prompt.name === 'login'
      ? await signIn(await readForm(req))
      : { consent: { grantId: await consent(params, session) } };
  if (result === undefined) return res.writeHead(401).end('wrong');
  const location = await provider.interactionResult(req, res, result);
  res.writeHead(303, { location, 'content-length': 0 }).end();
}

async function signIn(form) {
  const person = people.findByEmail(form.get('email') ?? '');
  const right = person !== undefined && (await verify(person.password_hash, form.get('password') ?? ''));
  return right ? { login: { accountId: person.id, amr: ['pwd'], acr: '1' } } : undefined;
}

async function consent(params, session) {
  const grant = new provider.Grant({ clientId: params.client_id, accountId: session.accountId });
  grant.addOIDCScope('openid profile email');
  return grant.save();
}

async function readForm(req) {
  let body = '';
  for await (const chunk of req) body += chunk;
  return new URLSearchParams(body);
}

/** The people, hashed once into the same database. */
async function openPeople(db) {
  db.exec(`create table if not exists people (id text primary key, email text not null unique, password_hash text not null,
    name text, given_name text, family_name text)`);
  if (db.prepare('select count(*) as n from people').get().n === 0) {
    const hashes = await Promise.all(setup.people.map(({ password }) => hash(password, argon2id)));
    const insert = db.prepare('insert into people values (?, ?, ?, ?, ?, ?)');
    db.transaction(() => {
      for (const [i, { email, claims }] of setup.people.entries()) {
        insert.run(
          randomBytes(16).toString('base64url'),
          email,
          hashes[i],
          claims.name,
          claims.given_name,
          claims.family_name,
        );
      }
    })();
  }
  const byId = db.prepare('select email, name, given_name, family_name from people where id = ?');
  const byEmail = db.prepare('select id, password_hash from people where email = ?');
  return { find: (id) => byId.get(id), findByEmail: (email) => byEmail.get(email) };
}

/** The signing key and the keys of the cookies, made at the first start. */
function openSecrets() {
  const path = join(setup.dir, 'peer_keys.json');
  if (!existsSync(path)) {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const jwk = { ...privateKey.export({ format: 'jwk' }), kid: 'peer', use: 'sig', alg: 'RS256' };
    writeFileSync(path, JSON.stringify({ jwk, cookies: [randomBytes(32).toString('base64url')] }), {
      mode: 0o600,
    });
  }
  return JSON.parse(readFileSync(path, 'utf8'));
}
