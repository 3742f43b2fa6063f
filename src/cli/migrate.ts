/** sallyport migrate: the database's tables, brought up to date or back. `serve` does `up` by itself. */
import { Command } from 'commander';
import { migrateDown, migrateUp, migrationStatus } from '../store/migrations.js';
import { columns, print, type Start } from './start.js';

export function migrateCommand(start: Start): Command {
  const command = new Command('migrate').description('bring the database up to date, or back');
  command
    .command('status', { isDefault: true })
    .description('list the migrations, and which are applied')
    .option('--json', 'print JSON')
    .action(async (options) => {
      const status = await migrationStatus(start.config().DATABASE_URL);
      print(status, options, (rows) =>
        columns(
          rows.map(({ name, applied }) => ({ name, applied: applied ? 'yes' : 'no' })),
          'There are none.',
        ),
      );
    });
  command
    .command('up')
    .description('apply what is not applied yet')
    .option('--json', 'print JSON')
    .action(async (options) => {
      const applied = await migrateUp(start.config().DATABASE_URL);
      print({ applied }, options, () =>
        applied.length === 0 ? 'Nothing to do.' : `Applied ${applied.join(', ')}.`,
      );
    });
  command
    .command('down')
    .description('take back the one that was applied last, with what is in its tables and columns')
    .option('--json', 'print JSON')
    .action(async (options) => {
      const undone = await migrateDown(start.config().DATABASE_URL);
      print({ undone }, options, () =>
        undone.length === 0 ? 'Nothing to do.' : `Took back ${undone.join(', ')}.`,
      );
    });
  return command;
}
