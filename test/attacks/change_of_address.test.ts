/** Taking an account over by its address, from a session that was left open or stolen. Hardening rows 10 and 12. */
import { describe, expect, test } from 'vitest';
import { disableUser, enableUser, setPassword } from '../../src/actions/users.js';
import * as users from '../../src/store/users.js';
import { change } from '../support/account.js';
import { signedInBrowser } from '../support/authorize.js';
import { engines } from '../support/database.js';
import { startIdp, type TestIdp } from '../support/idp.js';
import { lettersOf, mailRows } from '../support/mails.js';

const new_password = 'a wholly new and better passphrase';

/** The path of the link in the newest message of this name. */
async function linkIn(idp: TestIdp, name: string): Promise<string> {
  const at = (await mailRows(idp)).findLastIndex((row) => row.name === name);
  return (await lettersOf(idp))[at]?.link?.slice(idp.issuer.length) ?? '';
}

/** Somebody in the account of another asks for their own address in it. Gives the link that is sent there. */
async function askedByAnother(engine?: 'sqlite' | 'postgres') {
  const idp = await startIdp({ ...(engine && { engine }) });
  const { id } = await idp.addUser();
  const stranger = await signedInBrowser(idp);
  await change(stranger, '/account/email', { action: 'change', email: 'mallory@example.com' });
  return { idp, id, stranger, link: await linkIn(idp, 'email_change') };
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
});
