import { describe, expect, test } from 'vitest';
import { type Environment, readConfig } from '../../src/config.js';
import { settingNames } from '../../src/settings.js';
import { runAlone } from '../support/cli.js';

const key = Buffer.alloc(32, 7).toString('base64url');
const at = (env: Environment) => () =>
  readConfig(env, () => {
    throw new Error('there is no such file');
  });

async function shown(env: Environment): Promise<Record<string, [value: string, source: string]>> {
  const { code, out } = await runAlone(at(env), 'config', '--json');
  expect(code).toBe(0);
  const rows = JSON.parse(out) as { name: string; value: string; source: string }[]; // what the command promises
  return Object.fromEntries(rows.map(({ name, value, source }) => [name, [value, source]]));
}

describe('sallyport config', () => {
  test('prints every setting, its value and its source', async () => {
    const rows = await shown({
      SALLYPORT_ISSUER: 'https://id.example',
      SALLYPORT_TRUSTED_PROXIES: '::1 10.0.0.0/8',
    });
    expect(Object.keys(rows)).toEqual(settingNames().map((name) => `SALLYPORT_${name}`));
    expect(rows).toMatchObject({
      SALLYPORT_ISSUER: ['https://id.example', 'environment'],
      SALLYPORT_TRUSTED_PROXIES: ['::1,10.0.0.0/8', 'environment'],
      SALLYPORT_CODE_SECONDS: ['60', 'default'],
      SALLYPORT_MASTER_KEY: ['', 'default'],
      SALLYPORT_DATABASE_URL: ['sqlite:data/sallyport.sqlite', 'default'],
    });
  });

  test.each([
    ['the master key', { SALLYPORT_MASTER_KEY: key }, key],
    ['a password', { SALLYPORT_DATABASE_URL: 'postgres://ada:s3cret@db.example/id' }, 's3cret'],
    [
      'a password with an @ in it',
      { SALLYPORT_DATABASE_URL: 'postgres://ada:s3cret@x@db.example/id' },
      's3cret',
    ],
    [
      'a password with an escape in it',
      { SALLYPORT_DATABASE_URL: 'postgres://ada:s3%2Fcret@db.example/id' },
      'cret',
    ],
    ['a password without a user', { SALLYPORT_DATABASE_URL: 'postgres://:s3cret@db.example/id' }, 's3cret'],
    [
      'a password as a parameter',
      { SALLYPORT_DATABASE_URL: 'postgres://db.example/id?user=ada&password=s3cret' },
      's3cret',
    ],
  ])('masks %s', async (_, env, secret) => {
    for (const args of [[], ['--json']]) {
      const { code, out } = await runAlone(at(env), 'config', ...args);
      expect([code, out]).toEqual([0, expect.stringContaining('***')]);
      expect(out).not.toContain(secret);
    }
  });

  test('leaves what is no secret of a database to be seen', async () => {
    const rows = await shown({
      SALLYPORT_DATABASE_URL: 'postgres://ada:s3cret@db.example:5433/id?sslmode=require',
    });
    expect(rows.SALLYPORT_DATABASE_URL?.[0]).toBe('postgres://ada:***@db.example:5433/id?sslmode=require');
  });

  test('names a secret that came from a file as such', async () => {
    const config = () => readConfig({ SALLYPORT_MASTER_KEY_FILE: '/run/key' }, () => key);
    const { out } = await runAlone(config, 'config');
    expect(out).toMatch(/SALLYPORT_MASTER_KEY +\*\*\* +file\n/);
    expect(out).not.toContain(key);
  });

  test('with settings that are wrong lists all that is wrong and exits with 1', async () => {
    const env = { SALLYPORT_ISSUER: 'http://id.example', SALLYPORT_PORT: 'x', SALLYPORT_PROT: '1' };
    const { code, out, err } = await runAlone(at(env), 'config');
    expect([code, out]).toEqual([1, '']);
    expect(err.split('\n')).toEqual([
      'The settings are not right:',
      "  SALLYPORT_PROT is not a setting. 'sallyport config' lists those there are.",
      expect.stringMatching(/^ {2}SALLYPORT_ISSUER must be an https URL/),
      expect.stringMatching(/^ {2}SALLYPORT_PORT /),
      '',
    ]);
  });
});
