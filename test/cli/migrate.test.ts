import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readConfig } from '../../src/config.js';
import { runAlone } from '../support/cli.js';
import { emptyDatabase, engines } from '../support/database.js';
import { newFolder } from '../support/folder.js';

describe.each(engines)('sallyport migrate on %s', (engine) => {
  test('tells what is applied, applies it, and takes it back', async () => {
    const database = await emptyDatabase(engine);
    onTestFinished(() => database.drop());
    const config = () => readConfig({ SALLYPORT_DATABASE_URL: database.url }, () => '');
    const migrate = (...args: string[]) => runAlone(config, 'migrate', ...args);
    const status = async () => JSON.parse((await migrate('status', '--json')).out);

    const [first, ...rest] = await status();
    expect(first).toEqual({ name: '0001_foundations', applied: false });
    expect((await migrate()).out).toMatch(/^name +applied\n0001_foundations +no\n/);
    const all = [first, ...rest].map(({ name }: { name: string }) => name);
    expect(JSON.parse((await migrate('up', '--json')).out)).toEqual({ applied: all });
    expect((await migrate('up')).out).toBe('Nothing to do.\n');
    expect(await status()).toEqual(all.map((name: string) => ({ name, applied: true })));
    for (const name of all.toReversed()) expect((await migrate('down')).out).toBe(`Took back ${name}.\n`); // one at a time: a fresh database was made by all of them
    expect((await migrate('down')).out).toBe('Nothing to do.\n');
    expect(await status()).toEqual(all.map((name: string) => ({ name, applied: false })));
  });
});

test('a database that cannot be opened is told in a sentence that names it', async () => {
  const file = join(await newFolder(), 'no_folder');
  await writeFile(file, 'this is a file');
  const config = () => readConfig({ SALLYPORT_DATABASE_URL: `sqlite:${file}/db.sqlite` }, () => '');
  const { code, out, err } = await runAlone(config, 'migrate', 'up');
  expect([code, out]).toEqual([1, '']);
  expect(err).toContain(file);
  expect(err).not.toContain('    at ');
});

test('a file that is no database is told in a sentence that names it, and is left as it was', async () => {
  const file = join(await newFolder(), 'notes.txt');
  await writeFile(file, 'this is not a database, but somebody’s notes '.repeat(100));
  const before = await readFile(file, 'utf8');
  const config = () => readConfig({ SALLYPORT_DATABASE_URL: `sqlite:${file}` }, () => '');
  const { code, err } = await runAlone(config, 'migrate', 'up');
  expect([code, err]).toEqual([1, expect.stringContaining(file)]);
  expect(await readFile(file, 'utf8')).toBe(before);
});
