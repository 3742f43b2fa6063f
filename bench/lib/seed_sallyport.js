// @ts-check
/**
 * Puts the people and clients of a set-up into a new database of our server, by its own actions, before it is started. Prints the
 * clients' ids and secrets as JSON. In a process of its own: node seed_sallyport.js setup.json
 */
import { readFileSync } from 'node:fs';

/** What is built, which is not there while types are checked. @param {string} path */
const built = (path) => import(new URL(`../../dist/${path}`, import.meta.url).href);

const setup = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'));
const [{ readConfig }, { openDeps }, { migrateUp }, { ensureKeys }] = await Promise.all(
  ['config.js', 'deps.js', 'store/migrations.js', 'actions/keys.js'].map(built),
);
const [{ addUser }, { addClient }, { addResource }] = await Promise.all(
  ['actions/users.js', 'actions/clients.js', 'actions/resources.js'].map(built),
);

const config = readConfig(process.env, () => '');
await migrateUp(config.DATABASE_URL);
const deps = await openDeps(config);
const now = deps.clock();
await ensureKeys(deps, now);
await addResource(deps, setup.resource, { scope: setup.scope.split(' ') }, now);

const administrator = {
  email: 'admin@example.com',
  email_verified: true,
  roles: ['admin'],
  claims: {},
  password: null,
};
await addUser(deps, administrator, now);
for (const { email, password, claims } of setup.people) {
  await addUser(deps, { email, password, claims, email_verified: true, roles: [] }, now);
}

/** @type {Record<string, object>} */
const clients = {};
for (const { name, first_party, resource } of setup.clients) {
  const metadata = {
    client_name: name,
    redirect_uris: [setup.redirect_uri],
    grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
    scope: `openid profile email ${setup.scope}`,
    first_party,
    refresh_token_rotation: true,
    ...(resource !== null && { default_resource: resource }),
  };
  const { client, client_secret } = await addClient(deps, metadata, now);
  clients[name] = { client_id: client.client_id, client_secret };
}
await deps.close();
process.stdout.write(JSON.stringify(clients));
