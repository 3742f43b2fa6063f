/** A stronger or younger sign-in, as an API asks for it. RFC 9470 §3 and §4. */
import { decodeJwt } from 'jose';
import { describe, expect, test } from 'vitest';
import { TokenError } from '../../../src/relying_party/errors.js';
import { createVerifier } from '../../../src/relying_party/index.js';
import { stepUpPath } from '../../../src/relying_party/sign_in/step_up.js';
import { addApp, typeCode } from '../../support/factors.js';
import { answerOf, app_origin, startSignInApp } from '../../support/sign_in.js';

const two = 'urn:sallyport:acr:two-factor';
const settings = { paths: { login: '/login' } as never, origin: app_origin, home: '/home' };

test('an API asks for two factors, the person types their code alone, and the API is content', async () => {
  const { idp, ada, signIn, visitor } = await startSignInApp();
  const browser = visitor();
  await browser.signIn();
  const device = await addApp(idp, ada.id);
  const verifier = createVerifier({ issuer: idp.issuer, audience: idp.issuer });
  const challenge = async () => {
    const access_token = (await browser.person())?.access_token ?? '';
    const refused = await verifier.verify(access_token, { acr_values: two }).catch((error: unknown) => error);
    return refused instanceof TokenError ? (refused.challenge() ?? null) : null;
  };
  const path = signIn.stepUpPath(await challenge(), '/orders?id=1');
  expect(path).toBe(`/login?${new URLSearchParams({ return_to: '/orders?id=1', acr_values: two })}`);

  const url = await browser.begin(path?.slice('/login'.length));
  expect(url.searchParams.get('acr_values')).toBe(two);
  const asked = await browser.authorize(url);
  expect(asked.html).not.toContain('name="password"');
  const page = await typeCode(browser.server, asked, device.code());
  const done = await browser.send(answerOf(page).href);
  expect(done.headers.get('location')).toBe(`${app_origin}/orders?id=1`);
  expect(decodeJwt((await browser.person())?.access_token ?? '')).toMatchObject({ acr: two });
  expect(await challenge()).toBeNull();
});

describe('a challenge', () => {
  const asks = 'error="insufficient_user_authentication"';
  test.each<[string | null, string | null]>([
    [null, null],
    ['Bearer', null],
    ['Bearer error="invalid_token", acr_values="a"', null],
    [`Bearer ${asks}`, null],
    [`Bearer realm="x", ${asks}, max_age="60"`, '/login?return_to=%2Forders&max_age=60'],
    [`Bearer ${asks}, max_age=60`, '/login?return_to=%2Forders&max_age=60'],
    // Of several challenges the one that asks for it, and no parameter of another.
    [
      `Bearer error="invalid_token", max_age=1, DPoP ${asks}, max_age=60`,
      '/login?return_to=%2Forders&max_age=60',
    ],
    [`Bearer ${asks}, max_age=60, Basic realm="x", acr_values="a"`, '/login?return_to=%2Forders&max_age=60'],
    [`Basic, Bearer ${asks}, Negotiate max_age=60`, null],
    [`Basic realm="\\"Bearer ${asks.replaceAll('"', '\\"')}, max_age=60"`, null],
    [`Bearer ${asks}, acr_values="a b"`, '/login?return_to=%2Forders&acr_values=a+b'],
    [
      `Bearer ${asks}, error_description="say \\"acr_values=x\\"", max_age=1`,
      '/login?return_to=%2Forders&max_age=1',
    ],
    [`Bearer ${asks}, max_age=${'1'.repeat(9000)}`, null],
  ])('%s leads to %s', (challenge, path) => {
    expect(stepUpPath(settings, challenge, '/orders')).toBe(path);
  });

  test.each(['https://evil.example/', '//evil.example', '/\\evil.example'])(
    'never leads back to %s',
    (return_to) => {
      expect(stepUpPath(settings, `Bearer ${asks}, max_age=1`, return_to)).toBe(
        '/login?return_to=%2Fhome&max_age=1',
      );
    },
  );
});

test.each(['max_age=soon', 'max_age=-1', 'acr_values=a%22b', 'acr_values=', 'max_age=1&max_age=2'])(
  'the login refuses %s',
  async (query) => {
    const { visitor } = await startSignInApp();
    expect((await visitor().send(`/login?${query}`)).status).toBe(400);
  },
);
