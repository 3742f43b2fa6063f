import { describe, expect, test } from 'vitest';
import { updateClient } from '../../src/actions/clients.js';
import { startSender } from '../../src/jobs/outbox.js';
import { commandsOf } from '../support/cli.js';
import { getTokens } from '../support/flow.js';
import { startReceiver } from '../support/receiver.js';
import { startShop } from '../support/shop.js';

async function start() {
  const { idp, user, shop, browser, tokens } = await startShop();
  const given = await tokens({ scope: 'openid offline_access' });
  const sids = async (...args: string[]) =>
    (await commandsOf(idp).json('sessions', 'list', ...args)).map(({ sid }: { sid: string }) => sid);
  return { idp, user, shop, browser, given, sids, ...commandsOf(idp) };
}

describe('sallyport sessions', () => {
  test('list tells who is signed in, and nothing that opens a session', async () => {
    const { idp, browser, json, run } = await start();
    const [session] = await json('sessions', 'list');
    expect(session).toEqual({
      sid: expect.stringMatching(/^[\w-]{22}$/),
      email: 'ada@example.com',
      auth_time: idp.now(),
      last_seen_at: idp.now(),
      expires_at: idp.now() + 86_400,
      ...{ browser: null, system: null, address: '127.0.0.1', user_agent: 'node' },
    });
    const { out } = await run('sessions', 'list');
    expect(out).toMatch(/^sid +email +browser +system +address +signed in +last seen +expires\n/);
    const cookie = browser.cookies.get('sallyport_session') ?? '';
    expect(cookie).not.toBe('');
    expect(out + JSON.stringify(session)).not.toContain(cookie);
  });

  test('list --user tells those of one person', async () => {
    const { idp, user, shop, sids, run } = await start();
    const bob = await idp.addUser({ email: 'bob@example.com' });
    await getTokens(idp, shop); // ada, in another browser
    expect([await sids(), await sids('--user', user.id), await sids('--user', bob.email)]).toMatchObject([
      { length: 2 },
      { length: 2 },
      { length: 0 },
    ]);
    expect((await run('sessions', 'list', '--user', 'bob@example.com')).out).toBe('Nobody is signed in.\n');
    expect((await run('sessions', 'list', '--user', 'nobody')).code).toBe(1);
  });

  test('list leaves out what has expired', async () => {
    const { idp, sids } = await start();
    idp.advance(86_400);
    expect(await sids()).toEqual([]);
  });

  test('revoke ends one session at once', async () => {
    const { idp, browser, sids, run } = await start();
    const [sid = ''] = await sids();
    expect(await run('sessions', 'revoke', sid)).toEqual({ code: 0, out: '1 session has ended.\n', err: '' });
    expect((await idp.fetch('/healthz')).status).toBe(200);
    expect((await browser.get('/')).html).not.toContain('ada@example.com');
    expect(await run('sessions', 'revoke', sid)).toMatchObject({
      code: 1,
      err: `There is no session ${sid}.\n`,
    });
  });

  test('revoke --user ends all of a person, offline access too', async () => {
    const { idp, shop, given, json } = await start();
    await getTokens(idp, shop);
    expect((await idp.userinfo(given.access_token)).status).toBe(200);
    expect(await json('sessions', 'revoke', '--user', 'ada@example.com')).toEqual({
      ended: 2,
      messages: 0,
      receipt_id: expect.stringMatching(/^[\w-]{22}$/),
    });
    expect((await idp.userinfo(given.access_token)).status).toBe(401);
  });

  test('receipt tells what each application has answered so far', async () => {
    const { idp, json, run } = await start();
    const { url } = await startReceiver(503);
    await updateClient(idp.deps, 'shop', { backchannel_logout_uri: url }, idp.now());
    const revoked = await run('sessions', 'revoke', '--user', 'ada@example.com');
    const [, receipt_id = ''] =
      /Logout tokens to send: 1\. .* sessions receipt ([\w-]{22})\n$/.exec(revoked.out) ?? [];
    const told = { client_id: 'shop', client_name: 'Shop', attempts: 0, state: 'queued', answer: null };
    expect(await json('sessions', 'receipt', receipt_id)).toMatchObject({
      ...{ receipt_id, ended: 1, created_at: idp.now(), messages: [told] },
    });
    const sender = startSender(idp.deps);
    await sender.flush();
    await sender.stop();
    const { out } = await run('sessions', 'receipt', receipt_id);
    expect(out).toMatch(
      /^application +sid +state +attempts +answer +again\nShop .* sent +1 +answered 503 +.*UTC\n$/,
    );
  });

  test('receipt of a sign-out that no application had to be told of, and of none', async () => {
    const { json, run } = await start();
    const { receipt_id } = await json('sessions', 'revoke', '--user', 'ada@example.com');
    expect((await run('sessions', 'receipt', receipt_id)).out).toBe('No application had to be told.\n');
    expect(await run('sessions', 'receipt', 'nothing')).toMatchObject({
      code: 1,
      err: 'There is no receipt nothing.\n',
    });
  });

  test.each([
    ['neither a session nor a person', []],
    ['both', ['some-session', '--user', 'ada@example.com']],
  ])('revoke refuses %s', async (_, args) => {
    const { run, sids } = await start();
    expect(await run('sessions', 'revoke', ...args)).toEqual({
      code: 1,
      out: '',
      err: 'Name either a session or --user.\n',
    });
    expect(await sids()).toHaveLength(1);
  });
});
