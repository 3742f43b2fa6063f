import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isClaimed, offerClaim } from '../../src/actions/setup.js';
import {
  addUser,
  disableUser,
  enableUser,
  loadUser,
  type NewUser,
  newUserRow,
  removeUser,
  setPassword,
} from '../../src/actions/users.js';
import { UserError } from '../../src/oauth/errors.js';
import * as credentials from '../../src/store/credentials.js';
import * as users from '../../src/store/users.js';
import { anyText } from '../support/arbitraries.js';
import { engines } from '../support/database.js';
import { authorizeUrl, signIn } from '../support/flow.js';
import { password, startIdp, type TestIdp } from '../support/idp.js';
import { eventsOf, startShop } from '../support/shop.js';

const ada: NewUser = {
  email: 'ada@example.com',
  email_verified: false,
  roles: [],
  claims: {},
  password: null,
};

/** Whether these credentials open the door. */
async function mayEnter(idp: TestIdp, credentials: { email?: string; password?: string }): Promise<boolean> {
  const browser = idp.browser();
  const page = await signIn(browser, await browser.get('/login'), credentials);
  return page.status === 200 && page.url === `${idp.url}/`;
}

describe('a new person', () => {
  test('has every standard claim of OpenID Connect Core §5.1 that an operator gives', () => {
    const claims = {
      name: 'Ada Lovelace',
      family_name: 'Lovelace',
      given_name: 'Ada',
      middle_name: 'K',
      nickname: 'ada',
      preferred_username: 'ada',
      profile: 'https://example.com/ada',
      picture: 'https://example.com/ada.png',
      website: 'http://example.com',
      gender: 'female',
      birthdate: '1815-12-10',
      zoneinfo: 'Europe/London',
      locale: 'en-GB',
      phone_number: '+44 20 7946 0000',
      phone_number_verified: true,
      address: { street_address: '12 St James’s Square', locality: 'London', country: 'GB' },
    };
    const row = newUserRow({ ...ada, claims, roles: ['admin', 'editor', 'admin'] }, 1000);
    const { address, phone_number_verified, ...rest } = claims;
    expect(row).toMatchObject(rest);
    expect(row).toMatchObject({
      address: JSON.stringify(address),
      phone_number_verified: 1,
      email_verified: 0,
      roles: 'admin editor',
      created_at: 1000,
      updated_at: 1000,
      disabled_at: null,
    });
  });

  test.each([
    ['email without @', { email: 'ada' }, 'email'],
    ['email with a space', { email: 'ada lovelace@example.com' }, 'email'],
    ['email with two @', { email: 'ada@b@example.com' }, 'email'],
    ['email with a control character', { email: 'ada\u0000@example.com' }, 'email'],
    ['email with a line break', { email: 'ada@example.com\nbcc: x@example.com' }, 'email'],
    ['email of 321 characters', { email: `${'a'.repeat(309)}@example.com` }, 'email'],
    ['an empty email', { email: '' }, 'email'],
    ['a role of two words', { roles: ['chief editor'] }, 'role'],
    ['an empty role', { roles: [''] }, 'role'],
    ['claims that are a list', { claims: [] }, 'claims'],
    ['claims that are a text', { claims: 'name' }, 'claims'],
    ['a claim there is not', { claims: { nmae: 'Ada' } }, 'claims'],
    ['sub, which only the server sets', { claims: { sub: 'u1' } }, 'claims'],
    ['email_verified among the claims (hardening 11)', { claims: { email_verified: true } }, 'claims'],
    ['roles among the claims', { claims: { roles: ['admin'] } }, 'claims'],
    ['a name that is a number', { claims: { name: 5 } }, 'name'],
    ['a name with a control character', { claims: { name: 'Ada\u0007' } }, 'name'],
    ['a birthdate in words', { claims: { birthdate: '10 December 1815' } }, 'birthdate'],
    ['a script as picture (hardening 17)', { claims: { picture: 'javascript:alert(1)' } }, 'picture'],
    ['data as website', { claims: { website: 'data:text/html,x' } }, 'website'],
    ['an address with a member there is not', { claims: { address: { planet: 'Earth' } } }, 'address'],
    ['an address that is a text', { claims: { address: 'London' } }, 'address'],
  ])('is refused with %s', (_, change, field) => {
    const work = () => newUserRow({ ...ada, ...change }, 0);
    expect(work).toThrow(UserError);
    expect(work).toThrow(expect.objectContaining({ code: 'invalid_input', field }));
  });

  test('of any kind is made, or refused with a UserError', () => {
    const claims = fc.oneof(fc.jsonValue(), fc.dictionary(fc.string(), fc.jsonValue()));
    const input = fc.record({
      email: fc.oneof(anyText(), fc.emailAddress()),
      email_verified: fc.boolean(),
      roles: fc.array(anyText(), { maxLength: 3 }),
      claims,
      password: fc.constant(null),
    });
    fc.assert(
      fc.property(input, (user) => {
        try {
          expect(users.canonicalEmail(newUserRow(user, 0).email)).toMatch(/^[^\s@]+@[^\s@]+$/);
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
        }
      }),
      { numRuns: 300 },
    );
  });

  test.each([
    ['refused', '7 bytes', 'Xq7bTzm'],
    ['accepted', '8 bytes', 'Xq7bTzmw'],
    ['accepted', '1,024 bytes', `${password}${'é'.repeat(498)}`],
    ['refused', '1,025 bytes', `${password}x${'é'.repeat(498)}`],
    ['refused', 'their own name', 'ada@example.com'],
  ])('is %s with a password of %s', async (outcome, _, chosen) => {
    const idp = await startIdp();
    const work = addUser(idp.deps, { ...ada, password: chosen }, idp.now());
    if (outcome === 'accepted') {
      await work;
      expect(await mayEnter(idp, { password: chosen })).toBe(true);
    } else {
      await expect(work).rejects.toMatchObject({ code: 'invalid_input', field: 'password' });
      expect(await users.findByEmail(idp.db, 'ada@example.com')).toBeUndefined();
    }
  });

  test('has an argon2id hash with the parameters of the settings, and nothing else of the password', async () => {
    const idp = await startIdp();
    const { id } = await addUser(idp.deps, { ...ada, password }, idp.now());
    const secret = (await credentials.find(idp.db, id, 'password'))?.secret;
    expect(secret).toMatch(/^\$argon2id\$v=19\$m=7168,(t=1,p=1|p=1,t=1)\$[\w+/]+\$[\w+/]{43}$/);
    expect(JSON.stringify([await users.find(idp.db, id), idp.logged])).not.toContain(password);
  });

  test('without a password cannot sign in', async () => {
    const idp = await startIdp();
    const { id } = await addUser(idp.deps, ada, idp.now());
    expect(await credentials.find(idp.db, id, 'password')).toBeUndefined();
    expect(await mayEnter(idp, { password: '' })).toBe(false);
    expect(await mayEnter(idp, { password: 'undefined' })).toBe(false);
  });

  test('who is an administrator claims the server, and the claim link dies (decisions 22)', async () => {
    const idp = await startIdp();
    const link = await offerClaim(idp.deps, idp.now());
    await addUser(idp.deps, ada, idp.now());
    expect(await isClaimed(idp.deps)).toBe(false);
    await addUser(idp.deps, { ...ada, email: 'root@example.com', roles: ['admin'] }, idp.now());
    expect(await isClaimed(idp.deps)).toBe(true);
    expect((await idp.browser().get(new URL(link ?? '').pathname + new URL(link ?? '').search)).status).toBe(
      403,
    );
    expect(await offerClaim(idp.deps, idp.now())).toBeNull();
  });
});

describe.each(engines)('an address on %s', (engine) => {
  test('is one person’s, in whatever spelling: of twenty at once one gets it', async () => {
    const idp = await startIdp({ engine });
    const spellings = ['ada@example.com', 'ADA@Example.com', '  ada@EXAMPLE.com ', 'Ada@example.com'];
    const tries = Array.from({ length: 20 }, (_, i) =>
      addUser(idp.deps, { ...ada, email: spellings[i % 4] ?? '' }, idp.now()),
    );
    const outcomes = await Promise.allSettled(tries);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected')
        expect(outcome.reason).toMatchObject({ code: 'conflict', field: 'email' });
    }
    expect(await users.list(idp.db, '')).toHaveLength(1);
    expect(await eventsOf(idp, 'user_added')).toHaveLength(1);
  });

  test('is the same in composed and decomposed letters', async () => {
    const idp = await startIdp({ engine });
    const { id } = await addUser(idp.deps, { ...ada, email: 'zoe\u0308@example.com' }, idp.now());
    expect((await loadUser(idp.deps, 'ZO\u00cb@example.com')).id).toBe(id);
    expect((await loadUser(idp.deps, id)).email).toBe('zo\u00eb@example.com');
    await expect(loadUser(idp.deps, 'zoe@example.com')).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('a person', () => {
  test('who is disabled is out everywhere at once, and in again when enabled, signing in anew (COD-09, RFT-06, UIF-08)', async () => {
    const { idp, user, browser, tokens, refresh } = await startShop();
    const { access_token, refresh_token } = await tokens({ scope: 'openid offline_access' });
    await disableUser(idp.deps, user.id, idp.now());

    expect((await browser.get('/')).html).not.toContain('ada@example.com');
    expect((await idp.userinfo(access_token)).status).toBe(401);
    expect((await refresh(refresh_token)).body.error).toBe('invalid_grant');
    expect(await mayEnter(idp, { password })).toBe(false);

    await enableUser(idp.deps, user.id, idp.now());
    expect((await browser.get('/')).html).not.toContain('ada@example.com');
    expect((await idp.userinfo(access_token)).status).toBe(401);
    expect((await refresh(refresh_token)).body.error).toBe('invalid_grant');
    expect(await mayEnter(idp, { password })).toBe(true);
    expect([await eventsOf(idp, 'user_disabled'), await eventsOf(idp, 'user_enabled')]).toMatchObject([
      [{ user_id: user.id }],
      [{ user_id: user.id }],
    ]);
  });

  test('with a new password is out everywhere, and only the new one opens (UIF-08)', async () => {
    const { idp, user, browser, tokens } = await startShop();
    const { access_token } = await tokens({ scope: 'openid offline_access' });
    await setPassword(idp.deps, user.id, 'another good password', idp.now());

    expect((await browser.get(authorizeUrl('shop'))).html).toContain('name="password"');
    expect((await idp.userinfo(access_token)).status).toBe(401);
    expect(await mayEnter(idp, { password })).toBe(false);
    expect(await mayEnter(idp, { password: 'another good password' })).toBe(true);
  });

  test('with a new password that is too short keeps the old one, and stays signed in', async () => {
    const { idp, user, tokens } = await startShop();
    const { access_token } = await tokens();
    await expect(setPassword(idp.deps, user.id, 'short', idp.now())).rejects.toMatchObject({
      field: 'password',
    });
    expect((await idp.userinfo(access_token)).status).toBe(200);
    expect(await mayEnter(idp, { password })).toBe(true);
  });

  test('who is removed is gone with all that was theirs; the audit trail stays', async () => {
    const { idp, user, browser, tokens, refresh } = await startShop();
    const { access_token, refresh_token } = await tokens();
    await removeUser(idp.deps, user.id, idp.now());

    expect((await browser.get('/')).html).not.toContain('ada@example.com');
    expect((await idp.userinfo(access_token)).status).toBe(401);
    expect((await refresh(refresh_token)).body.error).toBe('invalid_grant');
    expect(await mayEnter(idp, { password })).toBe(false);
    expect(await credentials.find(idp.db, user.id, 'password')).toBeUndefined();
    for (const type of ['user_added', 'signed_in', 'user_removed'] as const)
      expect(await eventsOf(idp, type)).toMatchObject([{ user_id: user.id }]);
  });

  test('whose address was freed by removal is another person when added again', async () => {
    const { idp, user } = await startShop();
    await removeUser(idp.deps, user.id, idp.now());
    const again = await addUser(idp.deps, ada, idp.now());
    expect(again.id).not.toBe(user.id);
  });
});
