/** Accounts at other providers as one's own: connecting, taking away, proving by one who one is. Hardening rows 9, 10. */
import { describe, expect, test } from 'vitest';
import { openMail } from '../../../src/mail/queue.js';
import * as cacheVersions from '../../../src/store/cache_versions.js';
import * as credentials from '../../../src/store/credentials.js';
import * as federatedIdentities from '../../../src/store/federated_identities.js';
import * as sessions from '../../../src/store/sessions.js';
import { type Browser, formOf } from '../../support/browser.js';
import { engines } from '../../support/database.js';
import { signIn } from '../../support/flow.js';
import { addProvider, visitUpstream } from '../../support/identity_provider.js';
import { mailRows } from '../../support/mails.js';
import { atOnce, eventsOf } from '../../support/shop.js';
import { advanceBoth, startWorld, type World } from '../../support/upstream.js';

const path = '/account/providers';

async function start(options: Parameters<typeof startWorld>[0] = {}) {
  const world = await startWorld(options);
  const { browser, other } = world.browsers();
  await signIn(browser, await browser.get('/login'));
  const own = () => federatedIdentities.listByUser(world.here.db, world.ada.id);
  const post = async (fields: Record<string, string>, at = path) => {
    const { hidden } = formOf((await browser.get(at)).html);
    return browser.post(at, { ...hidden, ...fields });
  };
  const setOut = async () =>
    (await post({ provider: 'elsewhere', action: 'connect' })).headers.get('location') ?? '';
  const connect = async () => browser.get(await visitUpstream(other, await setOut()));
  return { ...world, browser, other, own, post, setOut, connect };
}

const remove = async ({ post, own }: Awaited<ReturnType<typeof start>>) =>
  post({ action: 'remove', identity: (await own())[0]?.id ?? '' });

/** The password is gone, as of somebody who never had one. */
async function withoutPassword({ here, ada }: World): Promise<void> {
  await here.db.transaction((trx) => credentials.removeAll(trx, ada.id, 'password'));
}

const mailsOf = async ({ here }: World) => {
  const ring = await here.deps.keys.get();
  return (await mailRows(here)).map((row) => openMail(ring, row)?.message.name);
};

describe('an account elsewhere', () => {
  test('that somebody else had connected signs them in no more, and signs them out, when it is taken away', async () => {
    const world = await start();
    const { here, ada, browser, connect, arrive } = world;
    await connect();
    const stranger = here.browser();
    await arrive(stranger);
    const all = async () => (await sessions.listByUser(here.db, ada.id, here.now())).length;
    expect([await all(), (await stranger.request('/account')).status]).toEqual([2, 200]);
    await remove(world);
    expect([await all(), (await stranger.request('/account')).status]).toEqual([1, 303]);
    expect((await browser.request('/account')).status).toBe(200);
  });

  test('is connected by going there, taken away by a button, and the owner is told of both', async () => {
    const world = await start();
    const page = await world.connect();
    expect(page.html).toContain('The account is connected.');
    expect(page.html).toContain('ada@elsewhere.example');
    expect(await world.own()).toMatchObject([{ subject: world.person.id, label: 'ada@elsewhere.example' }]);
    const gone = await remove(world);
    expect(gone.html).toContain('The account is not connected any more.');
    expect(await world.own()).toEqual([]);
    expect(await mailsOf(world)).toEqual(expect.arrayContaining(['provider_linked', 'provider_unlinked']));
    expect(await eventsOf(world.here, 'identity_unlinked')).toMatchObject([{ user_id: world.ada.id }]);
    const { html } = await world.browser.get('/account/events');
    expect(html).toContain('Disconnected an account to sign in with');
  });

  test('wants a recent proof, for either', async () => {
    const world = await start();
    await world.connect();
    advanceBoth(world, 301);
    for (const fields of [{ action: 'connect', provider: 'elsewhere' }, { action: 'remove' }])
      expect((await world.post(fields)).url).toContain('/confirm?to=');
    expect(await world.own()).toHaveLength(1);
  });

  test('of somebody else is refused, and so is one that is connected already', async () => {
    const world = await start();
    const bob = await world.here.addUser({ email: 'bob@example.com' });
    const theirs = { id: 'i2', provider_id: 'elsewhere', subject: world.person.id, user_id: bob.id };
    await federatedIdentities.insert(world.here.db, {
      ...theirs,
      label: null,
      created_at: 1,
      last_used_at: 1,
    });
    const page = await world.connect();
    expect([page.status, page.html.includes('That account is connected to somebody already.')]).toEqual([
      409,
      true,
    ]);
    expect(await world.own()).toEqual([]);
    expect((await world.post({ action: 'remove', identity: 'i2' })).status).toBe(404);
    expect(await federatedIdentities.listByUser(world.here.db, bob.id)).toHaveLength(1);
  });

  test('is not connected with another session than the one that set out (hardening 10)', async () => {
    const world = await start();
    await world.here.addUser({ email: 'bob@example.com' });
    const back = await visitUpstream(world.other, await world.setOut());
    await signIn(world.browser, await world.browser.get('/login'), { email: 'bob@example.com' });
    expect((await world.browser.get(back)).status).toBe(400);
    expect(await world.own()).toEqual([]);
  });
});

describe.each(engines)('the last way in, on %s', (engine) => {
  test('stays', async () => {
    const world = await start({ here: { engine } });
    await world.connect();
    await withoutPassword(world);
    const page = await remove(world);
    expect([page.status, page.html.includes('This is your only way to sign in.')]).toEqual([403, true]);
    expect(await world.own()).toHaveLength(1);
    await addProvider(world.here, { id: 'off', disabled_at: 1 });
    await federatedIdentities.insert(world.here.db, {
      ...{ id: 'i2', provider_id: 'off', subject: 's', user_id: world.ada.id, label: null },
      ...{ created_at: world.here.now() + 1, last_used_at: 1 },
    });
    expect((await remove(world)).status).toBe(403); // a provider that is not in use is no way in
  });

  test('stays though two are taken away at the same moment', async () => {
    const world = await start({ here: { engine } });
    await withoutPassword(world);
    await addProvider(world.here, { id: 'second' });
    const ids = ['a', 'b'];
    for (const [i, id] of ids.entries())
      await federatedIdentities.insert(world.here.db, {
        ...{ id, provider_id: i === 0 ? 'elsewhere' : 'second', subject: 's', user_id: world.ada.id },
        ...{ label: null, created_at: 1, last_used_at: 1 },
      });
    const { hidden } = formOf((await world.browser.get(path)).html);
    const body = (identity: string) => new URLSearchParams({ ...hidden, action: 'remove', identity });
    let turn = 0;
    await atOnce(10, () => {
      const identity = ids[turn++ % 2] ?? '';
      return world.browser.request(path, { method: 'POST', body: body(identity) });
    });
    expect(await world.own()).toHaveLength(1);
  });
});

describe('who one is', () => {
  const confirmAt = '/confirm?to=/account/providers';

  async function setOutToConfirm({ browser }: { browser: Browser }): Promise<string> {
    const { action, hidden } = formOf((await browser.get(confirmAt)).html);
    const page = await browser.post(action, { ...hidden, provider: 'elsewhere' });
    return page.headers.get('location') ?? '';
  }

  test('can be proved at a provider, which is asked for a new sign-in', async () => {
    const world = await start();
    await world.connect();
    advanceBoth(world, 301);
    expect((await world.browser.get(confirmAt)).html).toContain('Continue with <bdi>Elsewhere</bdi>');
    const location = await setOutToConfirm(world);
    expect(new URL(location).searchParams.get('prompt')).toBe('login');
    const cookie = world.browser.cookies.get('sallyport_session');
    const page = await world.browser.get(await visitUpstream(world.other, location));
    expect([page.status, new URL(page.url).pathname]).toEqual([200, path]);
    expect(world.browser.cookies.get('sallyport_session')).not.toBe(cookie);
    expect((await remove(world)).html).toContain('not connected any more');
  });

  test('is not proved by a sign-in there that is old, nor by another person there', async () => {
    const world = await start();
    await world.connect();
    advanceBoth(world, 301);
    const location = new URL(await setOutToConfirm(world));
    for (const name of ['prompt', 'max_age']) location.searchParams.delete(name);
    const old = await world.browser.get(await visitUpstream(world.other, location.href));
    expect([old.status, old.html.includes('You were to sign in anew at Elsewhere')]).toEqual([403, true]);

    const [row] = await world.own();
    await world.here.db.transaction((trx) => federatedIdentities.remove(trx, row?.id ?? '', world.ada.id));
    const other = {
      ...row,
      id: 'i9',
      subject: 'somebody-else',
      user_id: world.ada.id,
    } as federatedIdentities.FederatedIdentityRow;
    await federatedIdentities.insert(world.here.db, other);
    const page = await world.browser.get(await visitUpstream(world.other, await setOutToConfirm(world)));
    expect([page.status, page.html.includes('another account than the one you are signed in with')]).toEqual([
      403,
      true,
    ]);
    expect((await world.post({ action: 'remove' })).url).toContain('/confirm');
  });

  test('is not proved by a server that cannot tell that it asked anybody, but where there is nothing else', async () => {
    const world = await start();
    const { here, ada, browser } = world;
    const at = 'https://hub.example';
    await addProvider(here, {
      ...{ id: 'hub', display_name: 'Hub', kind: 'oauth2', userinfo_endpoint: `${at}/user` },
      ...{ authorization_endpoint: `${at}/authorize`, token_endpoint: `${at}/token` },
    });
    const identity = { id: 'i1', provider_id: 'hub', subject: '1', user_id: ada.id, label: null };
    await federatedIdentities.insert(here.db, { ...identity, created_at: 1, last_used_at: 1 });
    await here.db.transaction((trx) => cacheVersions.bump(trx, 'identity_providers'));
    advanceBoth(world, 301);
    const page = await browser.get(confirmAt);
    expect(page.html).not.toMatch(/\bHub\b/);
    expect((await browser.submit(page, { provider: 'hub' })).status).toBe(404);
    await withoutPassword(world);
    expect((await browser.get(confirmAt)).html).toContain('Hub');
    const sent = await browser.submit(page, { provider: 'hub' });
    expect(sent.headers.get('location')).toMatch(/^https:\/\/hub\.example\/authorize\?/);
  });
});
