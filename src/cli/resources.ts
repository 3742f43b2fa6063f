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
  readonly json?: boolean;
}

export function resourcesCommand(start: Start): Command {
  const command = new Command('resources').description('register the APIs that access tokens are for');
  command
    .command('add <identifier>')
    .description('register an API by its URI')
    .option('--scope <scope>', 'a scope of it; may be repeated', collect)
    .option('--client <client_id>', 'the client that acts for it, and may introspect the tokens for it')
    .option('--json', 'print JSON')
    .action((identifier: string, options: ResourceOptions) =>
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
  command
    .command('update <identifier>')
    .description('replace the scopes of an API, or the client that acts for it')
    .option('--scope <scope>', 'a scope of it; may be repeated', collect)
    .option('--client <client_id>', "the client that acts for it; '' for none")
    .option('--json', 'print JSON')
    .action((identifier: string, options: ResourceOptions, self: Command) => {
      if (Object.keys(changesOf(options)).length === 0) self.error('error: say --scope or --client');
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

function changesOf({ scope, client }: ResourceOptions): ResourceChanges {
  return {
    ...(scope !== undefined && { scope }),
    ...(client !== undefined && { client_id: client === '' ? null : client }),
  };
}

function tell(row: resources.ResourceRow, options: ResourceOptions): void {
  print(
    row,
    options,
    ({ identifier, scope, client_id }) =>
      `identifier: ${identifier}\nscope: ${scope}${client_id === null ? '' : `\nclient: ${client_id}`}`,
  );
}
