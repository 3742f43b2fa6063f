import { describe, expect, test } from 'vitest';
import { readConfig } from '../../src/config.js';
import { runAlone } from '../support/cli.js';

const run = (...args: string[]) => runAlone(() => readConfig({}, () => ''), ...args);

/** Every command of design.md §2, with what it cannot do without. */
const commands: readonly (readonly [command: string, ...operands: string[]])[] = [
  ['serve'],
  ['migrate'],
  ['migrate status'],
  ['migrate up'],
  ['migrate down'],
  ['users'],
  ['users add', '<email>'],
  ['users list'],
  ['users show', '<user>'],
  ['users disable', '<user>'],
  ['users enable', '<user>'],
  ['users remove', '<user>'],
  ['users set-password', '<user>'],
  ['clients'],
  ['clients add', '<name>'],
  ['clients list'],
  ['clients show', '<client_id>'],
  ['clients update', '<client_id>'],
  ['clients rotate-secret', '<client_id>'],
  ['clients remove', '<client_id>'],
  ['resources'],
  ['resources add', '<identifier>'],
  ['resources list'],
  ['resources show', '<identifier>'],
  ['resources update', '<identifier>'],
  ['resources remove', '<identifier>'],
  ['keys'],
  ['keys list'],
  ['keys rotate'],
  ['keys retire', '<kid>'],
  ['keys rewrap'],
  ['sessions'],
  ['sessions list'],
  ['sessions revoke', '[sid]'],
  ['sessions receipt', '<receipt_id>'],
  ['config'],
];
const groups = new Set(['serve', 'migrate', 'users', 'clients', 'resources', 'keys', 'sessions']);

describe('every command', () => {
  test.each(commands)(
    'sallyport %s --help tells what it takes, and exits with 0',
    async (command, ...operands) => {
      const { code, out, err } = await run(...command.split(' '), '--help');
      expect([code, err]).toEqual([0, '']);
      expect(out).toContain(`Usage: sallyport ${command}`);
      for (const operand of operands) expect(out).toContain(operand);
      if (!groups.has(command)) expect(out).toContain('--json');
    },
  );

  test.each(commands.filter(([, operand]) => operand?.startsWith('<')))(
    'sallyport %s without %s is a mistake in its usage: exit code 2',
    async (command) => {
      const { code, out, err } = await run(...command.split(' '));
      expect([code, out]).toEqual([2, '']);
      expect(err).toMatch(/missing required argument|required option/);
      expect(err).toContain('(--help tells more)');
    },
  );
});

describe('sallyport', () => {
  test('alone tells its commands, and exits with 2', async () => {
    const { code, out, err } = await run();
    expect(code).toBe(2);
    for (const [command] of commands.filter(([name]) => !name.includes(' ')))
      expect(out + err).toContain(`\n  ${command}`);
  });

  test('--version prints the version', async () => {
    expect(await run('--version')).toEqual({ code: 0, out: '1.2.3\n', err: '' });
  });

  test('--help exits with 0', async () => {
    expect(await run('--help')).toMatchObject({ code: 0, err: '' });
  });

  test.each([
    ['a command there is not', ['server']],
    ['a subcommand there is not', ['users', 'delete', 'ada@example.com']],
    ['a flag there is not', ['config', '--yaml']],
    ['a flag there is not, deeper down', ['users', 'list', '--yaml']],
    ['an operand too many', ['keys', 'list', 'all']],
    ['a flag without its value', ['clients', 'add', 'Shop', '--redirect-uri']],
    ['a group without a subcommand', ['users']],
  ])('exits with 2 on %s, and says so on standard error', async (_, args) => {
    const { code, out, err } = await run(...args);
    expect([code, out]).toEqual([2, '']);
    expect(err).not.toBe('');
  });
});
