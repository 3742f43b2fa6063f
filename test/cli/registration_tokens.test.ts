import { describe, expect, test } from 'vitest';
import { commandsOf } from '../support/cli.js';
import { good, register, startOpen } from '../support/registration.js';

const group = ['clients', 'registration-token'] as const;

async function start() {
  const idp = await startOpen({ settings: { CLIENT_REGISTRATION: 'token' } });
  return { idp, ...commandsOf(idp) };
}

describe('sallyport clients registration-token', () => {
  test('add prints the token, this once; list tells what is left of it', async () => {
    const { idp, json, run } = await start();
    const added = await json(...group, 'add', '--uses', '3', '--days', '2', '--note', 'build farm');
    expect(added).toEqual({
      id: expect.stringMatching(/^[\w-]{22}$/),
      token: expect.stringMatching(/^[\w-]{43}$/),
      note: 'build farm',
      uses_left: 3,
      created_at: idp.now(),
      expires_at: idp.now() + 2 * 86_400,
    });
    expect((await register(idp, good, { token: added.token })).status).toBe(201);
    const { token, ...rest } = added;
    expect(await json(...group, 'list')).toEqual([{ ...rest, uses_left: 2 }]);
    const { out } = await run(...group, 'list');
    expect(out).toMatch(/^id {2,}uses left {2}expires {2,}note\n/);
    expect(out).not.toContain(token);
  });

  test('add makes one for one registration in a week, and says so to people', async () => {
    const { idp, json, run } = await start();
    expect((await run(...group, 'list')).out).toBe('There are none.\n');
    const { code, out } = await run(...group, 'add');
    expect([code, out.includes('The token is shown this once.')]).toEqual([0, true]);
    expect(await json(...group, 'list')).toMatchObject([
      { uses_left: 1, expires_at: idp.now() + 7 * 86_400 },
    ]);
  });

  test.each([
    [['--uses', '0'], 'number of uses'],
    [['--uses', '1.5'], 'number of uses'],
    [['--uses', 'many'], 'number of uses'],
    [['--days', '0'], 'good for a minute'],
    [['--days', 'x'], 'good for a minute'],
    [['--note', 'x'.repeat(201)], 'note is longer'],
  ])('add refuses %j', async (args, sentence) => {
    const { run } = await start();
    const { code, err } = await run(...group, 'add', ...args);
    expect([code, err]).toEqual([1, expect.stringContaining(sentence)]);
  });

  test('remove makes it good for nothing; who registered with it stays', async () => {
    const { idp, json, run } = await start();
    const { id, token } = await json(...group, 'add', '--uses', '2');
    const { body } = await register(idp, good, { token });
    expect(await json(...group, 'remove', id)).toEqual({ id });
    expect((await register(idp, good, { token })).status).toBe(401);
    expect(await json('clients', 'show', body.client_id)).toMatchObject({
      self_registered: true,
      initial_token_id: id,
      last_used_at: idp.now(),
    });
    expect((await run('clients', 'list')).out).toMatch(/registered by.*\n.* itself/);
    expect((await run(...group, 'remove', id)).code).toBe(1);
  });
});
