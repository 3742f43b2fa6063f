/** sallyport clients: relying applications. --json prints the client information response of RFC 7591 §3.2.1. */
import { Command, Option } from 'commander';
import {
  addClient,
  disableClient,
  loadClient,
  metadataOf,
  type NewClient,
  removeClient,
  rotateClientSecret,
  updateClient,
} from '../actions/clients.js';
import { responseTypesOf } from '../oauth/client_rules.js';
import * as clients from '../store/clients.js';
import { readJson } from './input_file.js';
import { registrationTokenCommand } from './registration_tokens.js';
import { collect, columns, dateTime, print, type Start } from './start.js';

interface MetadataOptions {
  readonly redirectUri?: readonly string[];
  readonly postLogoutRedirectUri?: readonly string[];
  readonly backchannelLogoutUri?: string;
  readonly frontchannelLogoutUri?: string;
  readonly grantType?: readonly string[];
  readonly tokenEndpointAuthMethod?: string;
  readonly scope?: string;
  readonly firstParty?: boolean;
  readonly metadata?: string;
  readonly json?: boolean;
}

export function clientsCommand(start: Start): Command {
  const command = new Command('clients').description('register and change relying applications');
  metadataOptions(command.command('add <name>').description('register an application')).action(
    (name: string, options: MetadataOptions) =>
      start.withDeps(async (deps) =>
        tell(await addClient(deps, { ...readMetadata(options), client_name: name }, deps.clock()), options),
      ),
  );
  command
    .command('list')
    .description('list applications')
    .option('--json', 'print JSON')
    .action((options) => start.withDeps(async (deps) => list(await clients.list(deps.db), options)));
  command
    .command('show <client_id>')
    .description('show an application')
    .option('--json', 'print JSON')
    .action((client_id: string, options) =>
      start.withDeps(async (deps) =>
        tell({ client: await loadClient(deps, client_id), client_secret: null }, options),
      ),
    );
  metadataOptions(
    command.command('update <client_id>').description('change what an application is registered with'),
  )
    .option('--name <name>', 'the name people see')
    .addOption(new Option('--disable', 'answer it no more, and end all its tokens').conflicts('enable'))
    .option('--enable', 'answer it again')
    .action(
      (
        client_id: string,
        options: MetadataOptions & { name?: string; disable?: boolean; enable?: boolean },
      ) =>
        start.withDeps(async (deps) => {
          const changes = {
            ...readMetadata(options),
            ...(options.name !== undefined && { client_name: options.name }),
          };
          const changed =
            Object.keys(changes).length > 0
              ? await updateClient(deps, client_id, changes, deps.clock())
              : { client: await loadClient(deps, client_id), client_secret: null };
          const toggle = options.disable === true || options.enable === true;
          const client = toggle
            ? await disableClient(deps, client_id, options.disable === true, deps.clock())
            : changed.client;
          tell({ ...changed, client }, options);
        }),
    );
  command
    .command('rotate-secret <client_id>')
    .description('make a new client_secret; the old one stops working')
    .option('--json', 'print JSON')
    .action((client_id: string, options) =>
      start.withDeps(async (deps) => tell(await rotateClientSecret(deps, client_id, deps.clock()), options)),
    );
  command
    .command('remove <client_id>')
    .description('remove an application with its tokens and consents')
    .option('--json', 'print JSON')
    .action((client_id: string, options) =>
      start.withDeps(async (deps) => {
        await removeClient(deps, client_id, deps.clock());
        print({ client_id }, options, () => `${client_id} is removed.`);
      }),
    );
  command.addCommand(registrationTokenCommand(start));
  return command;
}

function metadataOptions(command: Command): Command {
  return command
    .option('--redirect-uri <uri>', 'where it is sent back to, exactly; may be repeated', collect)
    .option(
      '--post-logout-redirect-uri <uri>',
      'where a person may be sent after signing out; may be repeated',
      collect,
    )
    .option('--backchannel-logout-uri <uri>', 'where it is told, server to server, that a session has ended')
    .option('--frontchannel-logout-uri <uri>', 'its page that the browser opens in a frame after a sign-out')
    .option(
      '--grant-type <grant>',
      'authorization_code, refresh_token or client_credentials; may be repeated',
      collect,
    )
    .option(
      '--token-endpoint-auth-method <method>',
      'client_secret_basic, client_secret_post, client_secret_jwt, private_key_jwt, tls_client_auth, self_signed_tls_client_auth or none',
    )
    .option('--scope <scope>', 'the scopes it may ask for, separated by spaces')
    .option('--first-party', 'your own application: people are not asked for consent')
    .option('--metadata <file>', 'client metadata as in RFC 7591, a JSON file; other flags add to it')
    .option('--json', 'print JSON');
}

/** Flags and file together: lists are joined, single values of flags win. */
function readMetadata(options: MetadataOptions): Record<string, unknown> {
  const file = options.metadata === undefined ? {} : readJson(options.metadata);
  const joined = (name: string, flags: readonly string[] | undefined) => {
    const fromFile: unknown = file[name];
    return flags === undefined ? {} : { [name]: [...(Array.isArray(fromFile) ? fromFile : []), ...flags] };
  };
  return {
    ...file,
    ...joined('redirect_uris', options.redirectUri),
    ...joined('post_logout_redirect_uris', options.postLogoutRedirectUri),
    ...joined('grant_types', options.grantType),
    ...(options.tokenEndpointAuthMethod !== undefined && {
      token_endpoint_auth_method: options.tokenEndpointAuthMethod,
    }),
    ...(options.backchannelLogoutUri !== undefined && {
      backchannel_logout_uri: options.backchannelLogoutUri,
    }),
    ...(options.frontchannelLogoutUri !== undefined && {
      frontchannel_logout_uri: options.frontchannelLogoutUri,
    }),
    ...(options.scope !== undefined && { scope: options.scope }),
    ...(options.firstParty === true && { first_party: true }),
  };
}

function informationResponse({ client, client_secret }: NewClient) {
  return {
    client_id: client.client_id,
    client_id_issued_at: client.created_at,
    ...(client_secret !== null && { client_secret, client_secret_expires_at: 0 }),
    ...metadataOf(client),
    response_types: responseTypesOf(client),
    ...(client.disabled_at !== null && { disabled_at: client.disabled_at }),
    ...(client.registration_token_hash !== null && {
      self_registered: true,
      initial_token_id: client.initial_token_id,
      last_used_at: client.last_used_at,
    }),
  };
}

function tell(result: NewClient, options: { readonly json?: boolean }): void {
  print(informationResponse(result), options, (response) => {
    const lines = Object.entries(response).map(
      ([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`,
    );
    return [
      ...lines,
      ...(result.client_secret === null
        ? []
        : ['', 'The client_secret is shown this once. Give it to the application now.']),
    ].join('\n');
  });
}

function list(rows: readonly clients.Client[], options: { readonly json?: boolean }): void {
  print(
    rows.map((client) => informationResponse({ client, client_secret: null })),
    options,
    () =>
      columns(
        rows.map((client) => ({
          client_id: client.client_id,
          name: client.client_name,
          'grant types': client.grant_types.join(' '),
          authentication: client.token_endpoint_auth_method,
          'registered by': client.registration_token_hash === null ? 'operator' : 'itself',
          disabled: dateTime(client.disabled_at),
        })),
        'There are no applications yet.',
      ),
  );
}
