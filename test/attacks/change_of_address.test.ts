/** Taking an account over by its address, from a session that was left open or stolen. Hardening rows 10 and 12. */
import { describe, expect, test } from 'vitest';
import { revokeSession, signOutEverywhere } from '../../src/actions/sessions.js';
import { disableUser, enableUser, setPassword } from '../../src/actions/users.js';
import * as federatedIdentities from '../../src/store/federated_identities.js';
import * as secondFactors from '../../src/store/second_factors.js';
import { listByUser } from '../../src/store/sessions.js';
import * as users from '../../src/store/users.js';
import { change } from '../support/account.js';
import { headingOf, signedInBrowser } from '../support/authorize.js';
import { engines } from '../support/database.js';
import { addApp, addRecoveryCodes, proveFactors, toFactor, typeCode } from '../support/factors.js';
import { signIn } from '../support/flow.js';
import { addProvider } from '../support/identity_provider.js';
import { startIdp, type TestIdp } from '../support/idp.js';
import { lettersOf, mailRows } from '../support/mails.js';
import { givePasskey } from '../support/passkeys.js';

const new_password = 'a wholly new and better passphrase';

/** The path of the link in the newest message of this name. */
async function linkIn(idp: TestIdp, name: string): Promise<string> {
  const at = (await mailRows(idp)).findLastIndex((row) => row.name === name);
  return (await lettersOf(idp))[at]?.link?.slice(idp.issuer.length) ?? '';
}

async function linkProvider(idp: TestIdp, user_id: string): Promise<void> {
  const { id: provider_id } = await addProvider(idp, { id: 'elsewhere' });
  const at = { created_at: idp.now(), last_used_at: idp.now() };
  const row = { id: 'i1', provider_id, subject: 's1', user_id, label: null, ...at };
  expect(await idp.db.transaction((trx) => federatedIdentities.insert(trx, row))).toBe(true);
}

const waysLeft = async (idp: TestIdp, user_id: string) => [
  ...(await secondFactors.list(idp.db, user_id)).map(({ type }) => type),
  ...(await federatedIdentities.listByUser(idp.db, user_id)).map(({ provider_id }) => provider_id),
];

/** Somebody in the account of another asks for their own address in it. Gives the link that is sent there. */
async function askedByAnother(engine?: 'sqlite' | 'postgres') {
  const idp = await startIdp({ ...(engine && { engine }) });
  const { id } = await idp.addUser();
  const stranger = await signedInBrowser(idp);
  const [{ id: session_id } = { id: '' }] = await listByUser(idp.db, id, idp.now());
  await change(stranger, '/account/email', { action: 'change', email: 'mallory@example.com' });
  return { idp, id, session_id, stranger, link: await linkIn(idp, 'email_change') };
}

type Asked = Awaited<ReturnType<typeof askedByAnother>>;

async function reset({ idp }: Asked): Promise<void> {
  const owner = idp.browser();
  await owner.submit(await owner.get('/forgot-password'), { email: 'ada@example.com' });
  await owner.submit(await owner.get(await linkIn(idp, 'password_reset')), { password: new_password });
}

const ends: readonly [string, (asked: Asked) => Promise<unknown>][] = [
  ['the owner sets a new password by mail', reset],
  [
    'the owner sets a new password in a session of theirs',
    async ({ idp }) =>
      change(await signedInBrowser(idp), '/account/password', { password: new_password, action: 'save' }),
  ],
  [
    'the owner ends all other sessions',
    async ({ idp }) => change(await signedInBrowser(idp), '/account/sessions', { action: 'end_others' }),
  ],
  [
    'the owner ends that session, having found it in the list',
    async (asked) => {
      const owner = await signedInBrowser(asked.idp);
      await change(owner, '/account/sessions', { action: 'end', session: asked.session_id });
    },
  ],
  ['the operator ends that session', ({ idp, session_id }) => revokeSession(idp.deps, session_id, idp.now())],
  [
    'the operator signs the person out everywhere',
    ({ idp, id }) => signOutEverywhere(idp.deps, id, idp.now()),
  ],
  ['the operator sets a new password', ({ idp, id }) => setPassword(idp.deps, id, new_password, idp.now())],
  [
    'the operator disables the account, and enables it again',
    async ({ idp, id }) => {
      await disableUser(idp.deps, id, idp.now());
      await enableUser(idp.deps, id, idp.now());
    },
  ],
];

describe.each(engines)('on %s', (engine) => {
  test.each(ends)(
    'an address that was asked for by an intruder is not taken over once %s',
    async (_, end) => {
      const asked = await askedByAnother(engine);
      const { idp, id, stranger, link } = asked;
      expect((await stranger.get(link)).status).toBe(200);
      const form = await stranger.get(link);
      await end(asked);
      await stranger.submit(form, {});
      expect((await stranger.get(link)).status).toBe(404);
      expect((await users.find(idp.db, id))?.email).toBe('ada@example.com');
    },
  );

  test('whoever took an account over does not come back by what they added, once the address was taken back', async () => {
    const idp = await startIdp({ engine, host: 'localhost' });
    const user = await idp.addUser();
    const stranger = await signedInBrowser(idp);
    idp.advance(200);
    await givePasskey(idp, user, { name: 'Theirs' });
    await addRecoveryCodes(idp, user.id);
    await linkProvider(idp, user.id);
    await proveFactors(idp, user.id);
    await change(stranger, '/account/email', { action: 'change', email: 'mallory@example.com' });
    idp.advance(86_000);
    await stranger.submit(await stranger.get(await linkIn(idp, 'email_change')), {});
    await addApp(idp, user.id);

    idp.advance(6 * 86_400);
    const owner = idp.browser();
    const page = await owner.submit(await owner.get(await linkIn(idp, 'email_changed')), {});
    await owner.submit(page, { password: new_password });
    expect(await waysLeft(idp, user.id)).toEqual([]);
    const signedIn = await signIn(owner, await owner.get('/login'), { password: new_password });
    expect(headingOf(signedIn)).toBe('You are signed in');
  });

  test('an old mailbox is no way around a factor that was there before the address was changed', async () => {
    const idp = await startIdp({ engine });
    const user = await idp.addUser();
    const app = await addApp(idp, user.id);
    idp.advance(2 * 86_400 + 1);
    const { browser, page } = await toFactor(idp);
    await typeCode(browser, page, app.code());
    await change(browser, '/account/email', { action: 'change', email: 'countess@example.com' });
    await browser.submit(await browser.get(await linkIn(idp, 'email_change')), {});
    const other = idp.browser();
    const taken = await other.submit(await other.get(await linkIn(idp, 'email_changed')), {});
    await other.submit(taken, { password: new_password });
    const signedIn = await signIn(other, await other.get('/login'), { password: new_password });
    expect(headingOf(signedIn)).toBe('Confirm that it is you');
    expect(await waysLeft(idp, user.id)).toEqual(['totp']);
  });
});
