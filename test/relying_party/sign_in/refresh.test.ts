/** An access token that is about to expire is replaced, once for all who ask. RFC 6749 §6; OpenID Connect Core §12. */
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { createSignIn, memorySessions, type SessionStore } from '../../../src/relying_party/sign_in/index.js';
import { answerTokens, due, refuse, signedIn } from '../../support/refreshing.js';
import type { SignInApp } from '../../support/sign_in.js';

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
