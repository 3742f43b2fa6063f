/** sallyport resources: resource servers, the APIs that access tokens are for. RFC 8707. */
import { Command } from 'commander';
import {
  addResource,
  loadResource,
  type ResourceChanges,
  removeResource,
  updateResource,
} from '../actions/resources.js';
import * as resources from '../store/resources.js';
import { collect, columns, print, type Start } from './start.js';

interface ResourceOptions {
  readonly scope?: readonly string[];
  readonly client?: string;
  readonly permission?: readonly string[];
  readonly tokenClaim?: readonly string[];
  readonly accessTokenSeconds?: string;
  readonly accessTokenSigningAlg?: string;
  readonly json?: boolean;
}

export function resourcesCommand(start: Start): Command {
  const command = new Command('resources').description('register the APIs that access tokens are for');
  resourceOptions(
    command.command('add <identifier>').description('register an API by its URI'),
    'the client that acts for it, and may introspect the tokens for it',
  ).action((identifier: string, options: ResourceOptions) =>
    start.withDeps(async (deps) =>
      tell(await addResource(deps, identifier, changesOf(options), deps.clock()), options),
    ),
  );
  command
    .command('list')
    .description('list the APIs')
    .option('--json', 'print JSON')
    .action((options: ResourceOptions) =>
      start.withDeps(async (deps) => {
        const rows = await resources.list(deps.db);
        print(rows, options, () =>
          columns(
            rows.map(({ identifier, scope, client_id }) => ({ identifier, scope, client: client_id })),
            'There are none yet.',
          ),
        );
      }),
    );
  command
    .command('show <identifier>')
    .description('show an API')
    .option('--json', 'print JSON')
    .action((identifier: string, options: ResourceOptions) =>
      start.withDeps(async (deps) => tell(await loadResource(deps, identifier), options)),
    );
  resourceOptions(
    command
      .command('update <identifier>')
      .description('replace what is registered for an API: only what is named changes'),
    "the client that acts for it; '' for none",
  ).action((identifier: string, options: ResourceOptions, self: Command) => {
    if (Object.keys(changesOf(options)).length === 0) self.error('error: say what is to be changed');
    return start.withDeps(async (deps) =>
      tell(await updateResource(deps, identifier, changesOf(options), deps.clock()), options),
    );
  });
  command
    .command('remove <identifier>')
    .description('remove an API: no more tokens are issued for it')
    .option('--json', 'print JSON')
    .action((identifier: string, options: ResourceOptions) =>
      start.withDeps(async (deps) => {
        await removeResource(deps, identifier, deps.clock());
        print({ identifier }, options, () => `${identifier} is removed.`);
      }),
    );
  return command;
}

/** What an API is registered with. */
function resourceOptions(command: Command, about_client: string): Command {
  return command
    .option('--scope <scope>', 'a scope of it; may be repeated', collect)
    .option('--client <client_id>', about_client)
    .option('--permission <name=role,role>', 'who holds a permission; may be repeated', collect)
    .option('--token-claim <claim>', 'roles or permissions, to be in its tokens; may be repeated', collect)
    .option('--access-token-seconds <n>', 'how long its access tokens live: shorter than others')
    .option('--access-token-signing-alg <alg>', 'what its access tokens are signed with, instead of RS256')
    .option('--json', 'print JSON');
}

/** An empty word removes: `--client ''`, `--permission ''`, `--access-token-seconds ''`. */
function changesOf(options: ResourceOptions): ResourceChanges {
  const { scope, client, permission, tokenClaim, accessTokenSeconds, accessTokenSigningAlg: alg } = options;
  const token_claims = tokenClaim?.flatMap((text) => text.split(/[ ,]+/)).filter((text) => text !== '');
  return {
    ...(scope !== undefined && { scope }),
    ...(client !== undefined && { client_id: client === '' ? null : client }),
    ...(permission !== undefined && { permissions: permissionsOf(permission) }),
    ...(token_claims !== undefined && { token_claims }),
    ...(accessTokenSeconds !== undefined && {
      access_token_seconds: accessTokenSeconds === '' ? null : Number(accessTokenSeconds),
    }),
    ...(alg !== undefined && { access_token_signing_alg: alg === '' ? null : alg }),
  };
}

/** `name=role,role` each. */
function permissionsOf(texts: readonly string[]): Record<string, readonly string[]> {
  const pairs = texts.filter((text) => text !== '').map((text) => text.split('=', 2));
  return Object.fromEntries(
    pairs.map(([name = '', roles = '']) => [name, roles.split(/[ ,]+/).filter((role) => role !== '')]),
  );
}

function tell(row: resources.ResourceRow, options: ResourceOptions): void {
  print(row, options, ({ identifier, scope, client_id, permissions, token_claims, ...tokens }) =>
    [
      `identifier: ${identifier}`,
      `scope: ${scope}`,
      ...(client_id === null ? [] : [`client: ${client_id}`]),
      ...Object.entries(JSON.parse(permissions) as Record<string, string[]>).map(
        ([name, roles]) => `permission: ${name}=${roles.join(',')}`,
      ),
      ...(token_claims === '' ? [] : [`token claims: ${token_claims}`]),
      ...(tokens.access_token_seconds === null
        ? []
        : [`access tokens live: ${tokens.access_token_seconds} s`]),
      ...(tokens.access_token_signing_alg === null
        ? []
        : [`signed with: ${tokens.access_token_signing_alg}`]),
    ].join('\n'),
  );
}
