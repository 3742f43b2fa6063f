/** sallyport resources: resource servers, the APIs that access tokens are for. RFC 8707. */
import { Command } from 'commander';
import { addResource, loadResource, removeResource, updateResource } from '../actions/resources.js';
import * as resources from '../store/resources.js';
import { collect, columns, print, type Start } from './start.js';

interface ResourceOptions {
  readonly scope?: readonly string[];
  readonly json?: boolean;
}

export function resourcesCommand(start: Start): Command {
  const command = new Command('resources').description('register the APIs that access tokens are for');
  command
    .command('add <identifier>')
    .description('register an API by its URI')
    .option('--scope <scope>', 'a scope of it; may be repeated', collect)
    .option('--json', 'print JSON')
    .action((identifier: string, options: ResourceOptions) =>
      start.withDeps(async (deps) =>
        tell(await addResource(deps, identifier, options.scope ?? [], deps.clock()), options),
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
            rows.map(({ identifier, scope }) => ({ identifier, scope })),
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
    .description('replace the scopes of an API')
    .requiredOption('--scope <scope>', 'a scope of it; may be repeated', collect)
    .option('--json', 'print JSON')
    .action((identifier: string, options: ResourceOptions) =>
      start.withDeps(async (deps) =>
        tell(await updateResource(deps, identifier, options.scope ?? [], deps.clock()), options),
      ),
    );
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

function tell(row: resources.ResourceRow, options: ResourceOptions): void {
  print(row, options, ({ identifier, scope }) => `identifier: ${identifier}\nscope: ${scope}`);
}
