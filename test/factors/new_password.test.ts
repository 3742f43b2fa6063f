import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkNewPassword, normalPassword, type PasswordOwner } from '../../src/factors/new_password.js';
import { UserError } from '../../src/oauth/errors.js';
import { startIdp } from '../support/idp.js';

const ada: PasswordOwner = { email: 'ada.lovelace@analytical.example', name: 'Ada Lovelace' };

async function outcomes(passwords: readonly string[]): Promise<readonly string[]> {
  const { deps } = await startIdp({ settings: { PRODUCT_NAME: 'Castle Gate' } });
  const said: string[] = [];
  for (const password of passwords) {
    const outcome = await checkNewPassword(deps, password, ada).catch((error: unknown) => error);
    if (typeof outcome !== 'string')
      expect(outcome).toMatchObject({ code: 'invalid_input', field: 'password' });
    said.push(outcome instanceof Error ? outcome.message : 'good');
  }
  return said;
}

const refused = {
  common: /^Many people use this password/,
  personal: /somebody who knows your name/,
  guessable: /^This password is easy to guess\. Make it longer/,
};

/** Password, and what is said of it. */
const table: readonly (readonly [string, 'good' | keyof typeof refused])[] = [
  ['correct horse battery staple', 'good'],
  ['k3#Vq9!z', 'good'],
  ['Xq7bTzmw', 'good'],
  ['mon caf\u00e9 noir', 'good'],
  ['yaşamak güzel', 'good'],
  ['كلمة السر الطويلة', 'good'],
  ['дождь в августе', 'good'],
  ['正しい馬の電池', 'good'],
  ['비 오는 날의 수채화', 'good'],
  ['\u{1f6aa}\u{1f3f0}\u{1f511}\u{1f409}\u{1f451}\u{1f320}\u{1f4a7}\u{1f525}', 'good'],
  [`${'x9!'.repeat(340)}Kw4`, 'guessable'],
  ['12345678', 'common'],
  ['password', 'common'],
  ['dragon99', 'common'],
  ['jht0409x', 'good'],
  ['Summer2026!', 'guessable'],
  ['aaaaaaaaaaaaaaaa', 'common'],
  ['aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 'guessable'],
  ['2026-11-22', 'guessable'],
  ['日本語', 'guessable'],
  ['Ada Lovelace', 'personal'],
  ['lovelace1!', 'personal'],
  ['ada.lovelace@analytical.example', 'personal'],
  ['analytical1', 'personal'],
  ['CastleGate1', 'personal'],
];

describe('a new password', () => {
  test('is judged by how many guesses it takes, in any script, and not by which characters it has', async () => {
    const found = await outcomes(table.map(([password]) => password));
    const expected = table.map(([, verdict]) => verdict);
    const named = found.map(
      (message) => Object.entries(refused).find(([, pattern]) => pattern.test(message))?.[0] ?? message,
    );
    expect(Object.fromEntries(table.map(([password], i) => [password, named[i]]))).toEqual(
      Object.fromEntries(table.map(([password], i) => [password, expected[i]])),
    );
  });

  test('is counted in bytes of its NFC form', async () => {
    expect(normalPassword('cafe\u0301 au lait')).toBe('caf\u00e9 au lait');
    expect(normalPassword('\u{1f6aa}\u{1f6aa}')).toHaveLength(4);
    expect(() => normalPassword('e\u0301'.repeat(3))).toThrow('at least 8');
    expect(normalPassword('x'.repeat(1024))).toHaveLength(1024);
    expect(() => normalPassword('x'.repeat(1025))).toThrow('1024 bytes');
  });

  test('made to keep the judge busy is answered all the same, and the server goes on meanwhile (hardening 21)', async () => {
    const { deps } = await startIdp();
    const work = checkNewPassword(deps, 'p@$$w0rd'.repeat(128), ada);
    const judged = expect(work).rejects.toBeInstanceOf(UserError);
    const turns = { taken: 0 };
    const turn = () => {
      turns.taken += 1;
      running.timer = setImmediate(turn);
    };
    const running = { timer: setImmediate(turn) };
    await judged;
    clearImmediate(running.timer);
    expect(turns.taken).toBeGreaterThan(100);
  });

  test('of whatever characters is good or refused with a sentence, never an error of ours', async () => {
    const { deps } = await startIdp();
    const text = fc.oneof(
      fc.string({ unit: 'binary', minLength: 8, maxLength: 40 }),
      fc.string({ minLength: 8 }),
    );
    await fc.assert(
      fc.asyncProperty(text, text, async (password, name) => {
        const outcome = await checkNewPassword(deps, password, { email: `${name}@example.com`, name }).catch(
          (error: unknown) => error,
        );
        if (typeof outcome !== 'string') expect(outcome).toBeInstanceOf(UserError);
        else expect(outcome).toBe(password.normalize('NFC'));
      }),
      { numRuns: 20 },
    );
  });
});

describe('the service of breached passwords', () => {
  const password = 'correct horse battery staple';
  const sha1 = createHash('sha1').update(password).digest('hex').toUpperCase();
  const other = `${'0'.repeat(35)}:12`;

  async function ask(answer: string | Error) {
    const asked: unknown[] = [];
    const outbound = {
      fetch: async (request: unknown) => {
        asked.push(request);
        if (answer instanceof Error) throw answer;
        return { content_type: 'text/plain', body: Buffer.from(answer) };
      },
      post: async () => 500,
      call: () => Promise.reject(new Error('asked')),
    };
    const idp = await startIdp({
      settings: { BREACHED_PASSWORDS_URL: 'https://leaks.example/range' },
      substitutes: { outbound },
    });
    const outcome = await checkNewPassword(idp.deps, password, ada).catch((error: unknown) => error);
    return { asked, outcome, logged: idp.logged };
  }

  test('learns five hex digits of the SHA-1, not even the length of the answer, and its word counts', async () => {
    const { asked, outcome } = await ask(`${other}\r\n${sha1.slice(5)}:3`);
    expect(outcome).toMatchObject({ code: 'invalid_input', field: 'password' });
    expect(String(outcome)).toContain('found in a leak');
    expect(asked).toEqual([
      {
        url: `https://leaks.example/range/${sha1.slice(0, 5)}`,
        accept: 'text/plain',
        headers: { 'add-padding': 'true' },
        max_bytes: 262_144,
      },
    ]);
    expect(JSON.stringify(asked)).not.toContain(sha1.slice(5));
  });

  test.each([
    ['does not know the password', other],
    ['names it as padding', `${other}\r\n${sha1.slice(5)}:0`],
    ['answers nothing', ''],
    ['answers rubbish', '\0<html>:::\n:\n'],
  ])('that %s stands in nobody’s way', async (_, answer) => {
    expect((await ask(answer)).outcome).toBe(password);
  });

  test('that cannot be reached stands in nobody’s way, and the log tells', async () => {
    const { outcome, logged } = await ask(new Error('no answer'));
    expect(outcome).toBe(password);
    const lines = logged.filter(({ fields }) =>
      JSON.stringify(fields).includes('breached_passwords_unanswered'),
    );
    expect(lines).toHaveLength(1);
    expect(JSON.stringify(lines)).not.toContain(password);
  });

  test('is asked nothing where none is set', async () => {
    const asked: unknown[] = [];
    const outbound = {
      fetch: async (request: unknown) => {
        asked.push(request);
        throw new Error('asked');
      },
      post: async () => 500,
      call: () => Promise.reject(new Error('asked')),
    };
    const { deps } = await startIdp({ substitutes: { outbound } });
    expect(await checkNewPassword(deps, password, ada)).toBe(password);
    expect(asked).toEqual([]);
  });
});
