import { decodeJwt } from 'jose';
import { describe, expect, test } from 'vitest';
import { answerOf, ask, codeOf, kindOf, methods, signedInBrowser } from '../support/authorize.js';
import { redeem, signIn } from '../support/flow.js';
import { startIdp } from '../support/idp.js';

const bob = { email: 'bob@example.com' };
const acr = 'urn:sallyport:acr:one-factor';

async function start(metadata: object = {}) {
  const idp = await startIdp();
  const ada = await idp.addUser({ claims: { name: 'Ada Lovelace', nickname: 'Countess' } });
  await idp.addUser(bob);
  const shop = await idp.addClient(metadata, 'shop');
  return { idp, ada, shop, browser: await signedInBrowser(idp) };
}

const asking = (claims: object) => ({ claims: JSON.stringify(claims) });

describe('claims with a value for sub (INT-08)', () => {
  test.each(['id_token', 'userinfo'])('in %s: that user gets in silently', async (member) => {
    const { ada, browser } = await start();
    const changes = { ...asking({ [member]: { sub: { value: ada.id } } }), prompt: 'none' };
    expect(codeOf(await ask(browser, 'shop', changes))).not.toBe('');
  });

  test.each<[string, object]>([
    ['another user in id_token', { id_token: { sub: { value: 'somebody' } } }],
    ['another user in userinfo', { userinfo: { sub: { value: 'somebody' } } }],
    ['other users', { id_token: { sub: { values: ['a', 'b'] } } }],
    ['no text', { id_token: { sub: { value: 1 } } }],
    ['nobody', { id_token: { sub: { values: [] } } }],
  ])('of %s: login_required, the password, and then still no success', async (_, claims) => {
    const { browser } = await start();
    const silent = answerOf(await ask(browser, 'shop', { ...asking(claims), prompt: 'none' }));
    expect(silent.error).toBe('login_required');
    const login = await ask(browser, 'shop', asking(claims));
    expect(kindOf(login)).toBe('/login');
    expect(answerOf(await signIn(browser, login)).error).toBe('login_required');
  });

  test('of one user in id_token and another in userinfo: no success for either', async () => {
    const { idp, ada, browser } = await start();
    const claims = { id_token: { sub: { value: ada.id } }, userinfo: { sub: { value: 'somebody' } } };
    const answer = answerOf(await ask(browser, 'shop', { ...asking(claims), prompt: 'none' }));
    expect(answer).toMatchObject({ error: 'login_required', iss: idp.issuer });
  });
});

describe('claims with an essential acr (INT-09)', () => {
  test('that is met: it is in the ID token', async () => {
    const { idp, shop, browser } = await start();
    const changes = asking({ id_token: { acr: { essential: true, values: ['urn:example:gold', acr] } } });
    const { body } = await redeem(idp, shop, codeOf(await ask(browser, 'shop', changes)));
    expect(decodeJwt(body.id_token).acr).toBe(acr);
  });

  test.each<[string, object]>([
    ['a value', { essential: true, value: 'urn:example:gold' }],
    ['values', { essential: true, values: ['urn:example:gold', 'urn:example:silver'] }],
    ['a value that is no text', { essential: true, value: 2 }],
  ])(
    'that cannot be met, by %s: unmet_authentication_requirements, never an ID token with another',
    async (_, wanted) => {
      const { idp, browser } = await start();
      for (const prompt of [undefined, 'none']) {
        const answer = answerOf(
          await ask(browser, 'shop', { ...asking({ id_token: { acr: wanted } }), prompt }),
        );
        expect(answer).toEqual({
          error: 'unmet_authentication_requirements',
          error_description: expect.any(String),
          error_uri: `${idp.issuer}/errors#unmet_authentication_requirements`,
          state: 's1',
          iss: idp.issuer,
        });
      }
      const fresh = idp.browser();
      const login = await ask(fresh, 'shop', asking({ id_token: { acr: wanted } }));
      expect(answerOf(await signIn(fresh, login)).error).toBe('unmet_authentication_requirements');
    },
  );

  test.each<[string, object]>([
    ['voluntary values', asking({ id_token: { acr: { values: ['urn:example:gold'] } } })],
    ['acr_values', { acr_values: 'urn:example:gold urn:example:silver' }],
    ['essential without a value', asking({ id_token: { acr: { essential: true } } })],
  ])(
    '%s never stand in the way, and the ID token tells the acr that was met (AUT-18, INT-09)',
    async (_, changes) => {
      const { idp, shop, browser } = await start();
      const { body } = await redeem(idp, shop, codeOf(await ask(browser, 'shop', { ...changes })));
      expect(decodeJwt(body.id_token).acr).toBe(acr);
    },
  );
});

test('default_acr_values of a client are as voluntary as acr_values (INT-06, INT-09)', async () => {
  const { idp, shop, browser } = await start({ default_acr_values: ['urn:example:gold'] });
  const { body } = await redeem(idp, shop, codeOf(await ask(browser, 'shop')));
  expect(decodeJwt(body.id_token).acr).toBe(acr);
});

describe('claims asked for by name (OpenID Connect Core §5.5)', () => {
  test.each(methods)(
    'go where they were asked for, and nowhere else, by %s (IDT-08, UIF-07)',
    async (method) => {
      const { idp, shop, browser } = await start({ id_token_claims: 'minimal' });
      const claims = { id_token: { email: { essential: true } }, userinfo: { nickname: null } };
      const { body } = await redeem(idp, shop, codeOf(await ask(browser, 'shop', asking(claims), method)));
      const id_token = decodeJwt(body.id_token);
      expect([id_token.email, id_token.nickname, id_token.name]).toEqual([
        'ada@example.com',
        undefined,
        undefined,
      ]);
      const userinfo = await idp.userinfo(body.access_token);
      expect(Object.keys(userinfo.body).sort()).toEqual(['nickname', 'sub']);
    },
  );

  test('claims that the user does not have, and unknown ones, are left out (IDT-10, AUT-17)', async () => {
    const { idp, shop, browser } = await start();
    const claims = { id_token: { phone_number: { essential: true }, shoe_size: { essential: true } } };
    const { body } = await redeem(idp, shop, codeOf(await ask(browser, 'shop', asking(claims))));
    const id_token = decodeJwt(body.id_token);
    expect([id_token.phone_number, id_token.shoe_size]).toEqual([undefined, undefined]);
  });

  test('a name that the protocol uses cannot be asked for by value', async () => {
    const { idp, ada, shop, browser } = await start();
    const claims = {
      id_token: { iss: { value: 'https://evil.example' }, aud: { value: 'blog' }, exp: null },
    };
    const { body } = await redeem(idp, shop, codeOf(await ask(browser, 'shop', asking(claims))));
    expect(decodeJwt(body.id_token)).toMatchObject({ iss: idp.issuer, aud: 'shop', sub: ada.id });
  });

  test.each<[string, object, string]>([
    ['in the ID token', { id_token: { email: null } }, 'email'],
    ['from userinfo', { userinfo: { phone_number: { essential: true } } }, 'phone number'],
  ])('are agreed to by name, %s (INT-12)', async (_, claims, shown) => {
    const { browser } = await start({ first_party: false });
    const consent = await ask(browser, 'shop', asking(claims));
    expect(kindOf(consent)).toBe('/consent');
    expect(consent.html).toContain(`<li>${shown}</li>`);
    expect(codeOf(await browser.submit(consent, { action: 'allow' }))).not.toBe('');
    expect(kindOf(await ask(browser, 'shop', asking({ userinfo: { nickname: null } })))).toBe('/consent');
    expect(codeOf(await ask(browser, 'shop', asking(claims)))).not.toBe('');
  });
});
