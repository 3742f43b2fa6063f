/** Several processes of an application on one session store: one at a time redeems the refresh token of a session. */
import { setTimeout as pause } from 'node:timers/promises';
import knex from 'knex';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  createSessionTables,
  createSignIn,
  knexSessions,
  type SessionStore,
} from '../../../src/relying_party/sign_in/index.js';
import { emptyDatabase } from '../../support/database.js';
import { answerTokens, due, refuse, signedIn } from '../../support/refreshing.js';
import type { SignInApp } from '../../support/sign_in.js';

describe('requests at the same time', () => {
  test.each(['sqlite', 'postgres'] as const)(
    'in several processes with one database sign nobody out, on %s',
    async (engine) => {
      const sessions = await openSessions(engine);
      const { browser, errors, idp, options, tokens } = await signedIn({ engine, app: { sessions } });
      const processes = Array.from({ length: 5 }, () => createSignIn(options));
      for (let round = 0; round < 3; round += 1) {
        idp.advance(due);
        const people = await Promise.all(
          processes.flatMap((process) => [browser.person(process), browser.person(process)]),
        );
        expect(people.filter((person) => person?.access_token == null)).toEqual([]);
      }
      expect(errors).toEqual([]);
      expect(tokens()).toBe(4); // one refresh a round, whether or not the provider would forgive a second
    },
  );

  test('in several processes wait for the one that is at it where the token has expired', async () => {
    const { browser, idp, options, tokens, traffic } = await signedIn();
    const other = createSignIn(options);
    const answered: (() => void)[] = [];
    traffic.instead = async (url, init) => {
      if (url.pathname === '/token') await new Promise<void>((resolve) => answered.push(resolve));
      return fetch(url, init);
    };
    idp.advance(600);
    const people = [browser.person(), browser.person(other)];
    await expect.poll(() => answered.length).toBe(1);
    await pause(100);
    answered[0]?.();
    const [here, there] = await Promise.all(people);
    expect([here?.access_token, tokens()]).toEqual([expect.any(String), 2]);
    expect(there?.access_token).toBe(here?.access_token);
  });

  test('in several processes wait no longer than a provider may take, and one that died is made good for', async () => {
    const { browser, idp, options, tokens } = await signedIn({ app: { timeout_seconds: 0.2 } });
    const asked: string[] = [];
    const fetchOrDie: typeof fetch = (input, init) => {
      asked.push(new URL(String(input)).pathname);
      return asked.at(-1) === '/token' ? new Promise(() => undefined) : fetch(input, init);
    };
    const dead = createSignIn({ ...options, fetch: fetchOrDie });
    idp.advance(600);
    void browser.person(dead);
    await expect.poll(() => asked).toContain('/token');
    expect(await browser.person()).toMatchObject({ access_token: null });
    expect(tokens()).toBe(1);
    idp.advance(5);
    expect((await browser.person())?.access_token).toEqual(expect.any(String));
  });
});

async function openSessions(engine: 'sqlite' | 'postgres') {
  const { url, drop } = await emptyDatabase(engine);
  const filename = url.slice('sqlite:'.length);
  const db = knex(
    engine === 'sqlite'
      ? { client: 'sqlite3', connection: { filename }, useNullAsDefault: true }
      : { client: 'pg', connection: url },
  );
  onTestFinished(async () => {
    await db.destroy();
    await drop();
  });
  await createSessionTables(db);
  return knexSessions(db);
}

/** As a process sees it whose turn has been over for long. */
function withoutTurns({ sessions }: SignInApp['options']): SessionStore {
  return { ...sessions, claim: async () => true };
}

describe('a refresh that is refused', () => {
  test('while another process stored its successor leaves the person signed in', async () => {
    const { browser, idp, options, traffic } = await signedIn();
    idp.advance(due);
    const other = createSignIn({ ...options, fetch, sessions: withoutTurns(options) });
    // A provider without a grace window: this process presents a token that the other one has just replaced.
    answerTokens({ traffic }, async () => {
      await browser.person(other);
      return refuse('invalid_grant');
    });
    const [here, there] = [await browser.person(), await browser.person(other)];
    expect(here?.access_token).toBe(there?.access_token);
    expect(here?.access_token).not.toBeNull();
  });

  test('while another process is still storing its successor waits for it', async () => {
    const { browser, idp, options, traffic } = await signedIn();
    idp.advance(due);
    const slowly = async (input: string | URL | Request, init?: RequestInit) => {
      const response = await fetch(input, init);
      await pause(50);
      return response;
    };
    const other = createSignIn({ ...options, fetch: slowly, sessions: withoutTurns(options) });
    answerTokens({ traffic }, () => {
      void browser.person(other);
      return refuse('invalid_grant');
    });
    const here = await browser.person();
    expect(here?.access_token).toEqual(expect.any(String));
    expect((await browser.person(other))?.access_token).toBe(here?.access_token);
  });
});
