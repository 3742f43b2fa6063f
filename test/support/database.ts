/** Databases for tests, on each engine: migrated (a copy of the run's template) or empty. */
import { copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { inject } from 'vitest';

export const engines = ['sqlite', 'postgres'] as const;

export interface TestDatabase {
  readonly url: string;
  drop(): Promise<void>;
}

/** A migrated database that nobody else uses. */
export async function newDatabase(engine: (typeof engines)[number]): Promise<TestDatabase> {
  return engine === 'sqlite' ? newFile('template.sqlite') : newOnServer('template_sallyport');
}

/** A database without tables. */
export async function emptyDatabase(engine: (typeof engines)[number]): Promise<TestDatabase> {
  return engine === 'sqlite' ? newFile(null) : newOnServer('template0');
}

async function newFile(template: string | null): Promise<TestDatabase> {
  const folder = inject('sqlite_folder');
  const path = join(folder, `${crypto.randomUUID()}.sqlite`);
  if (template) await copyFile(join(folder, template), path);
  return {
    url: `sqlite:${path}`,
    async drop() {
      for (const suffix of ['', '-wal', '-shm']) await rm(path + suffix, { force: true });
    },
  };
}

async function newOnServer(template: string): Promise<TestDatabase> {
  const name = `test_${crypto.randomUUID().replaceAll('-', '')}`;
  await asSuperuser(`create database ${name} template ${template} strategy file_copy`); // a third of the work of wal_log
  const url = new URL(inject('postgres_url'));
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => asSuperuser(`drop database ${name} with (force)`) };
}

let superuser: pg.Pool | undefined;

/** By one connection for a worker: a new one each time costs more than what it asks for. */
async function asSuperuser(sql: string): Promise<void> {
  superuser ??= newPool();
  await superuser.query(sql);
}

function newPool(): pg.Pool {
  const pool = new pg.Pool({
    connectionString: inject('postgres_url'),
    idleTimeoutMillis: 0,
    allowExitOnIdle: true,
  });
  return pool.on('error', () => undefined); // the server is stopped when the run is over
}
