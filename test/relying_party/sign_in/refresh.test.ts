/** An access token that is about to expire is replaced, once for all who ask. RFC 6749 §6; OpenID Connect Core §12. */
import { setTimeout as pause } from 'node:timers/promises';
import knex from 'knex';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  createSessionTables,
  createSignIn,
  knexSessions,
  memorySessions,
  type SessionStore,
} from '../../../src/relying_party/sign_in/index.js';
import { emptyDatabase } from '../../support/database.js';
import { type SignInApp, startSignInApp } from '../../support/sign_in.js';

/** Access tokens live for 600 seconds, and are replaced in the last 30. */
const due = 571;

async function signedIn(options: Parameters<typeof startSignInApp>[0] = {}) {
  const app = await startSignInApp(options);
  const browser = app.visitor();
  await browser.signIn();
  return { ...app, browser, tokens: () => app.traffic.count('/token') };
}

/** Answers the token endpoint in the place of the server. */
function answerTokens({ traffic }: Pick<SignInApp, 'traffic'>, reply: () => Response | Promise<Response>) {
  traffic.instead = (url) => (url.pathname === '/token' ? reply() : undefined);
}

const refuse = (error: string, status = 400) => Response.json({ error }, { status });

describe('an access token', () => {
  test.each([
    [570 - 1, 1],
    [570, 2],
    [700, 2],
  ])('%i seconds old: the server was asked %i times in all', async (seconds, times) => {
    const { browser, idp, tokens } = await signedIn();
    const before = await browser.person();
    idp.advance(seconds);
    const after = await browser.person();
    expect(tokens()).toBe(times);
    expect(after?.access_token === before?.access_token).toBe(times === 1);
    expect((await idp.userinfo(after?.access_token ?? '')).status).toBe(200);
    expect(after).toMatchObject({ sub: before?.sub, sid: before?.sid, expires_at: before?.expires_at });
  });

  test('is replaced again and again, under the same cookie', async () => {
    const { browser, idp, tokens } = await signedIn();
    const cookies = [...browser.cookies];
    for (let count = 0; count < 5; count += 1) {
      idp.advance(due);
      expect((await browser.person())?.access_token).not.toBeNull();
    }
    expect([tokens(), [...browser.cookies]]).toEqual([6, cookies]);
  });

  test('that lives no longer than thirty seconds is replaced in its second half, not at each request', async () => {
    const { browser, idp, tokens } = await signedIn({ settings: { ACCESS_TOKEN_SECONDS: '30' } });
    for (let count = 0; count < 3; count += 1) await browser.person();
    idp.advance(14);
    await browser.person();
    expect(tokens()).toBe(1);
    idp.advance(1);
    for (let count = 0; count < 3; count += 1) await browser.person();
    expect(tokens()).toBe(2);
  });

  test('without a refresh token expires, and the person stays signed in', async () => {
    const { browser, idp } = await signedIn({ metadata: { grant_types: ['authorization_code'] } });
    expect((await browser.person())?.access_token).not.toBeNull();
    idp.advance(600);
    expect(await browser.person()).toMatchObject({ access_token: null, claims: { name: 'Ada Lovelace' } });
  });

  test('is replaced for no one whose session is over', async () => {
    const { browser, idp, tokens } = await signedIn({ app: { session_seconds: due } });
    idp.advance(due);
    expect([await browser.person(), tokens()]).toEqual([null, 1]);
  });
});

describe('requests at the same time', () => {
  test('share one refresh', async () => {
    const { browser, idp, tokens } = await signedIn();
    idp.advance(due);
    const people = await Promise.all(Array.from({ length: 50 }, () => browser.person()));
    expect(tokens()).toBe(2);
    expect(new Set(people.map((person) => person?.access_token)).size).toBe(1);
    expect((await browser.person())?.access_token).toBe(people[0]?.access_token);
    expect(tokens()).toBe(2);
  });

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

  test('that read the session before a refresh, and go on after it, share it as well', async () => {
    const memory = memorySessions();
    const held: (() => void)[] = [];
    let hold = false;
    const sessions: SessionStore = {
      ...memory,
      async find(digest, now) {
        const found = await memory.find(digest, now);
        if (hold) await new Promise<void>((resolve) => held.push(resolve));
        return found;
      },
    };
    const { browser, idp, tokens } = await signedIn({ app: { sessions } });
    idp.advance(due);
    hold = true;
    const late = browser.person();
    await pause(1);
    hold = false;
    const person = await browser.person();
    for (const release of held) release();
    expect([(await late)?.access_token, tokens()]).toEqual([person?.access_token, 2]);
  });

  test('of two people are two refreshes', async () => {
    const { browser, idp, tokens, visitor } = await signedIn();
    const other = visitor();
    await other.signIn();
    idp.advance(due);
    const [one, two] = await Promise.all([browser.person(), other.person()]);
    expect([tokens(), one?.sid === two?.sid]).toEqual([4, false]);
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
  test('because the session at the server has ended ends the one here', async () => {
    const { browser, errors, idp } = await signedIn();
    const page = await browser.server.get('/logout');
    await browser.server.submit(page, { action: 'sign_out' });
    idp.advance(due);
    expect(await browser.person()).toBeNull();
    expect(errors.map(({ error }) => error)).toEqual(['invalid_grant']);
    expect(await browser.person()).toBeNull();
    expect(errors).toHaveLength(1);
  });

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

describe('a refresh that fails', () => {
  const faults: readonly (readonly [string, () => Response])[] = [
    ['because nobody answers', () => fail(new TypeError('fetch failed'))],
    ['because it takes too long', () => fail(new DOMException('too long', 'TimeoutError'))],
    ['with the page of a proxy', () => new Response('<html>', { status: 502 })],
    ['with 503', () => refuse('temporarily_unavailable', 503)],
    ['for the client’s fault', () => refuse('invalid_client', 401)],
    [
      'with an answer that is cut off',
      () => new Response('{"acc', { headers: { 'content-type': 'application/json' } }),
    ],
  ];

  test.each(faults)('%s ends no session', async (_, reply) => {
    const app = await signedIn();
    const { browser, errors, idp, tokens } = app;
    const before = await browser.person();
    answerTokens(app, reply);
    idp.advance(due);
    expect((await browser.person())?.access_token).toBe(before?.access_token);
    expect([errors.length, tokens()]).toEqual([1, 2]);

    idp.advance(600 - due);
    expect(await browser.person()).toMatchObject({ sub: before?.sub, access_token: null });
    app.traffic.instead = undefined;
    idp.advance(5);
    expect((await browser.person())?.access_token).toEqual(expect.any(String));
  });

  test('for want of the provider’s keys is none: no token is redeemed whose answer could not be checked', async () => {
    const { browser, errors, idp, options, tokens, traffic } = await signedIn();
    const restarted = createSignIn(options);
    traffic.instead = (url) => (url.pathname === '/jwks' ? new Response('', { status: 503 }) : undefined);
    idp.advance(600);
    for (let count = 0; count < 4; count += 1) {
      expect(await browser.person(restarted)).toMatchObject({ access_token: null });
      idp.advance(5); // in all longer than the server forgives a token that comes twice
    }
    expect([tokens(), errors.map(({ code }) => code)]).toEqual([1, Array(4).fill('provider_unreachable')]);
    traffic.instead = undefined;
    expect((await browser.person(restarted))?.access_token).toEqual(expect.any(String));
  });

  test('is not tried again for five seconds, by nobody', async () => {
    const app = await signedIn();
    const { browser, idp, tokens } = app;
    answerTokens(app, () => fail(new TypeError('fetch failed')));
    idp.advance(due);
    for (let count = 0; count < 10; count += 1) await browser.person();
    expect(tokens()).toBe(2);
    idp.advance(5);
    await browser.person();
    expect(tokens()).toBe(3);
  });

  test('for one person’s sake keeps nobody else waiting, and is not tried again for five seconds for that one', async () => {
    const app = await signedIn();
    const { browser, idp, tokens, traffic, visitor } = app;
    const other = visitor();
    await other.signIn();
    const before = (await other.person())?.access_token;
    idp.advance(due);
    traffic.instead = (url) => (url.pathname === '/token' ? refuse('interaction_required') : undefined);
    for (let count = 0; count < 3; count += 1) await browser.person();
    expect(tokens()).toBe(3);
    traffic.instead = undefined;
    const after = (await other.person())?.access_token;
    expect([after === before, tokens()]).toEqual([false, 4]);
    await browser.person();
    expect(tokens()).toBe(4);
    idp.advance(5);
    await browser.person();
    expect(tokens()).toBe(5);
  });

  test('because the answer is of another person ends the session (Core §12.2)', async () => {
    const app = await signedIn();
    const { browser, errors, idp } = app;
    await idp.addUser({ email: 'bob@example.com' });
    const bob = await bobsTokens(app);
    answerTokens(app, () => Response.json(bob));
    idp.advance(due);
    expect([await browser.person(), errors.map(({ code }) => code)]).toEqual([null, ['answer_invalid']]);
  });
});

function fail(error: Error): never {
  throw error;
}

/** What the token endpoint says to a sign-in of Bob. */
async function bobsTokens({ traffic, visitor }: SignInApp): Promise<object> {
  const heard: object[] = [];
  traffic.instead = async (url, init) => {
    const response = await fetch(url, init);
    if (url.pathname === '/token') heard.push((await response.clone().json()) as object);
    return response;
  };
  const browser = visitor();
  await browser.signIn('', { email: 'bob@example.com' });
  expect(await browser.person()).not.toBeNull();
  return heard[0] ?? {};
}

test('a sign-out while a refresh is under way is not undone', async () => {
  const app = await signedIn();
  const { browser, idp, traffic } = app;
  idp.advance(due);
  traffic.instead = async (url, init) => {
    const response = await fetch(url, init);
    if (url.pathname === '/token') await browser.post('/logout', { here: '1' });
    return response;
  };
  const cookies = new Map(browser.cookies);
  expect(await browser.person()).toBeNull();
  for (const [name, value] of cookies) browser.cookies.set(name, value);
  expect(await browser.person()).toBeNull();
});
