/** What an answer of another provider is worth: against this project's own server, over real sockets. Hardening rows 9, 10, 19, 34. */
import { describe, expect, test } from 'vitest';
import { UpstreamError } from '../../src/upstream/errors.js';
import { authorizationUrl, redeem } from '../../src/upstream/exchange.js';
import { begin, openTransaction, sealTransaction, type Transaction } from '../../src/upstream/transaction.js';
import { addProvider, startUpstream, visitUpstream } from '../support/identity_provider.js';
import { startIdp } from '../support/idp.js';

const browser_id = 'b'.repeat(43);

async function start(options: Parameters<typeof startUpstream>[1] = {}) {
  const here = await startIdp();
  const upstream = await startUpstream(here, options);
  const { there, row } = upstream;
  const ring = await here.deps.keys.get();

  async function setOut(changes: Partial<Transaction> = {}, provider = row) {
    const begun = {
      provider_id: row.id,
      started_at: here.now(),
      again: false,
      purpose: { for: 'sign_in', request: null },
    } as const;
    const transaction = begin({ ...begun, ...changes });
    const state = sealTransaction(ring, browser_id, transaction);
    const visit = { transaction, state, login_hint: null };
    return { transaction, state, location: await authorizationUrl(here.deps, provider, visit, here.now()) };
  }
  const comeBack = (url: string | URL, { transaction, state }: { transaction: Transaction; state: string }) =>
    redeem(here.deps, row, { url: new URL(url), transaction, state }, here.now());
  const browser = there.browser();
  return { here, ...upstream, ring, browser, setOut, comeBack };
}

function problemOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => 'nothing',
    (error: unknown) => (error instanceof UpstreamError ? error.problem : error),
  );
}

describe('a visit to another provider', () => {
  test('is an authorization code flow with PKCE, state and nonce', async () => {
    const { here, there, setOut, client } = await start();
    const { location, state } = await setOut();
    const url = new URL(location);
    expect(url.origin + url.pathname).toBe(`${there.issuer}/authorize`);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      response_type: 'code',
      client_id: client.client.client_id,
      redirect_uri: `${here.issuer}/upstream/elsewhere/callback`,
      scope: 'openid profile email',
      state,
      nonce: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
    });
    expect(state.length).toBeLessThan(500);
  });

  test('gives the person’s sub, sid and ID token, and their profile when it is asked for', async () => {
    const { setOut, comeBack, browser, person } = await start();
    const out = await setOut();
    const arrival = await comeBack(await visitUpstream(browser, out.location), out);
    expect(arrival).toMatchObject({
      subject: person.id,
      sid: expect.any(String),
      id_token: expect.any(String),
      mfa: false,
    });
    expect(await arrival.profile()).toEqual({
      email: 'ada@elsewhere.example',
      email_verified: true,
      claims: { name: 'Ada L.' },
    });
  });

  test('works for a public client, and with every algorithm that is agreed on', async () => {
    const { setOut, comeBack, browser, person } = await start({
      client: { token_endpoint_auth_method: 'none', id_token_signed_response_alg: 'ES256' },
      id_token_signed_response_alg: 'ES256',
    });
    const out = await setOut();
    expect(await comeBack(await visitUpstream(browser, out.location), out)).toMatchObject({
      subject: person.id,
    });
  });

  test('asks for a new sign-in where one is needed, and finds out whether there was one', async () => {
    const { here, there, setOut, comeBack, browser } = await start();
    const first = await setOut();
    await comeBack(await visitUpstream(browser, first.location), first);
    here.advance(500);
    there.advance(500);
    const again = await setOut({ again: true });
    expect(new URL(again.location).searchParams.get('prompt')).toBe('login');
    expect(await comeBack(await visitUpstream(browser, again.location), again)).toMatchObject({ mfa: false });
    here.advance(500);
    there.advance(500);
    const third = await setOut({ again: true });
    const tampered = new URL(third.location);
    for (const name of ['prompt', 'max_age']) tampered.searchParams.delete(name);
    expect(await problemOf(comeBack(await visitUpstream(browser, tampered.href), third))).toBe('not_fresh');
  });
});

describe('an answer is refused', () => {
  const changed = (change: (url: URL) => void) => (url: string) => {
    const other = new URL(url);
    change(other);
    return other.href;
  };
  test.each([
    ['without a code', changed((url) => url.searchParams.delete('code')), 'invalid'],
    ['with another code', changed((url) => url.searchParams.set('code', 'x'.repeat(43))), 'refused'],
    ['with two codes', changed((url) => url.searchParams.append('code', 'x')), 'invalid'],
    ['with another state', changed((url) => url.searchParams.set('state', 'x')), 'invalid'],
    ['without a state', changed((url) => url.searchParams.delete('state')), 'invalid'],
    [
      'of another issuer: a mix-up (RFC 9207 §2.4)',
      changed((url) => url.searchParams.set('iss', 'https://attacker.example')),
      'invalid',
    ],
    [
      'without an issuer, which this provider promises',
      changed((url) => url.searchParams.delete('iss')),
      'invalid',
    ],
    [
      'as a JWT, which was not asked for',
      changed((url) => url.searchParams.set('response', 'e30.e30.')),
      'invalid',
    ],
  ])('%s', async (_, change, problem) => {
    const { setOut, comeBack, browser } = await start();
    const out = await setOut();
    const back = await visitUpstream(browser, out.location);
    expect(await problemOf(comeBack(change(back), out))).toBe(problem);
  });

  test.each([
    ['access_denied', 'cancelled'],
    ['login_required', 'refused'],
    ['server_error', 'unreachable'],
    ['temporarily_unavailable', 'unreachable'],
    ['<script>', 'refused'],
  ])('that says %s', async (error, problem) => {
    const { there, setOut, comeBack } = await start();
    const out = await setOut();
    const answer = new URLSearchParams({ error, state: out.state, iss: there.issuer });
    expect(await problemOf(comeBack(`https://id.example/?${answer}`, out))).toBe(problem);
  });

  test('that is used a second time', async () => {
    const { setOut, comeBack, browser } = await start();
    const out = await setOut();
    const back = await visitUpstream(browser, out.location);
    await comeBack(back, out);
    expect(await problemOf(comeBack(back, out))).toBe('refused');
  });

  test('whose code was got by somebody else’s visit: PKCE and nonce are another’s (RFC 9700 §4.5)', async () => {
    const { setOut, comeBack, browser } = await start();
    const [victims, attackers] = [await setOut(), await setOut()];
    const back = new URL(await visitUpstream(browser, victims.location));
    back.searchParams.set('state', attackers.state);
    expect(await problemOf(comeBack(back, attackers))).toBe('refused');
  });

  test('whose ID token has another algorithm than was agreed on (hardening 19)', async () => {
    const { setOut, comeBack, browser } = await start({ client: { id_token_signed_response_alg: 'PS256' } });
    const out = await setOut();
    expect(await problemOf(comeBack(await visitUpstream(browser, out.location), out))).toBe('invalid');
  });
});

describe('a provider that is down', () => {
  test('is told so, and not asked again for five seconds', async () => {
    const { here, setOut } = await start();
    const dead = await addProvider(here, { id: 'dead', issuer: 'http://127.0.0.1:9' });
    expect(await problemOf(setOut({}, dead))).toBe('unreachable');
    const first = here.deps.upstream.configuration(dead, here.now());
    const second = here.deps.upstream.configuration(dead, here.now());
    const causeOf = (work: Promise<unknown>) => work.catch((error: unknown) => error);
    expect(await causeOf(first)).toBe(await causeOf(second));
    here.advance(5);
    expect(await causeOf(here.deps.upstream.configuration(dead, here.now()))).not.toBe(await causeOf(first));
  });

  test('while the code is redeemed leaves nothing behind', async () => {
    const { there, setOut, comeBack, browser } = await start();
    const out = await setOut();
    const back = await visitUpstream(browser, out.location);
    await there.deps.db.close();
    expect(await problemOf(comeBack(back, out))).toMatch(/^(unreachable|refused)$/);
  });

  test('whose discovery document names another issuer is none (Discovery §4.3)', async () => {
    const { here, there, setOut } = await start();
    const other = await addProvider(here, { id: 'other', issuer: `${there.issuer}/` });
    expect(await problemOf(setOut({}, other))).toBe('unreachable');
  });
});

describe('the state', () => {
  test('opens for the browser alone that set out, for fifteen minutes, and not when a bit is changed', async () => {
    const { here, ring, setOut } = await start();
    const { state, transaction } = await setOut();
    const open = (text: string, browser: string, now: number) => () =>
      openTransaction(ring, text, { browser, now });
    const now = here.now();
    expect(open(state, browser_id, now + 899)()).toEqual(transaction);
    for (const wrong of [
      open(state, browser_id, now + 900),
      open(state, 'c'.repeat(43), now),
      open(`${state.slice(0, -2)}AA`, browser_id, now),
      open('', browser_id, now),
      open('x'.repeat(3000), browser_id, now),
    ])
      expect(wrong).toThrow(UpstreamError);
  });

  test('is never longer than servers take', async () => {
    const { setOut } = await start();
    const noise = Array.from({ length: 80 }, () => crypto.randomUUID()).join('');
    const purpose = { for: 'sign_in', request: { state: noise } } as const;
    expect(await problemOf(setOut({ purpose }))).toBe('too_long');
  });
});
