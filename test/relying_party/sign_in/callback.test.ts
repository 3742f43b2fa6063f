/** What the callback refuses, whoever is at fault. OpenID Connect Core §3.1.2.5–§3.1.3.7; RFC 9207. */
import { describe, expect, test } from 'vitest';
import { answerOf, refusalOf, startAlone, startSignInApp } from '../../support/sign_in.js';

describe('the callback refuses', () => {
  const change = (name: string, value: string) => (url: URL) => url.searchParams.set(name, value);
  const refusals: readonly (readonly [string, (url: URL) => void, readonly [number, string]])[] = [
    ['another state', change('state', 'x'), [400, 'sign_in_unknown']],
    ['no state', (url) => url.searchParams.delete('state'), [400, 'sign_in_unknown']],
    ['a state twice', (url) => url.searchParams.append('state', 'x'), [400, 'request_invalid']],
    [
      'a state with one character changed',
      (url) => {
        const state = url.searchParams.get('state') ?? '';
        const other = state[20] === 'A' ? 'B' : 'A';
        url.searchParams.set('state', `${state.slice(0, 20)}${other}${state.slice(21)}`);
      },
      [400, 'sign_in_unknown'],
    ],
    ['another issuer (RFC 9207)', change('iss', 'https://attacker.example'), [400, 'answer_invalid']],
    [
      'no issuer, from a server that names it',
      (url) => url.searchParams.delete('iss'),
      [400, 'answer_invalid'],
    ],
    ['another code', change('code', 'x'), [400, 'code_refused: invalid_grant']],
    ['no code', (url) => url.searchParams.delete('code'), [400, 'answer_invalid']],
    ['a code twice', (url) => url.searchParams.append('code', 'x'), [400, 'answer_invalid']],
    ['a token beside the code', change('id_token', 'x'), [400, 'answer_invalid']],
    ['an error', change('error', 'access_denied'), [400, 'provider_refused: access_denied']],
  ];

  test.each(refusals)('%s', async (_, change, refusal) => {
    const { visitor } = await startSignInApp();
    const browser = visitor();
    const answer = answerOf(await browser.authorize(await browser.begin()));
    change(answer);
    expect(await refusalOf(await browser.send(answer.href))).toEqual(refusal);
    expect(await browser.person()).toBeNull();
  });

  test('an answer to another browser', async () => {
    const { visitor } = await startSignInApp();
    const [attacker, victim] = [visitor(), visitor()];
    const answer = answerOf(await attacker.authorize(await attacker.begin()));
    await victim.begin();
    expect(await refusalOf(await victim.send(answer.href))).toEqual([400, 'sign_in_unknown']);
    expect(await victim.person()).toBeNull();
  });

  test('an answer that was used, once the person signed out', async () => {
    const { traffic, visitor } = await startSignInApp();
    const browser = visitor();
    const answer = answerOf(await browser.authorize(await browser.begin()));
    const cookies = new Map(browser.cookies);
    await browser.send(answer.href);
    const again = visitor(cookies);
    expect(await refusalOf(await again.send(answer.href))).toEqual([400, 'sign_in_used']);
    expect(traffic.count('/token')).toBe(1);
  });

  test.each([
    [899, 303],
    [900, 400],
  ])('%i seconds after the sign-in began: %i', async (seconds, status) => {
    const { idp, visitor } = await startSignInApp();
    const browser = visitor();
    const begun = await browser.begin();
    idp.advance(seconds);
    const response = await browser.send(answerOf(await browser.authorize(begun)).href);
    expect(response.status).toBe(status);
    if (status === 400) expect(await refusalOf(response)).toEqual([400, 'sign_in_expired']);
  });

  test('an ID token with another nonce', async () => {
    const { traffic, visitor } = await startSignInApp();
    const browser = visitor();
    const [one, other] = [await browser.begin(), await browser.begin()];
    one.searchParams.set('nonce', other.searchParams.get('nonce') ?? '');
    expect(await refusalOf(await browser.send(answerOf(await browser.authorize(one)).href))).toEqual([
      400,
      'answer_invalid',
    ]);
    expect(traffic.count('/token')).toBe(1);
  });

  test('a code that was asked for with another challenge', async () => {
    const { visitor } = await startSignInApp();
    const browser = visitor();
    const [one, other] = [await browser.begin(), await browser.begin()];
    one.searchParams.set('code_challenge', other.searchParams.get('code_challenge') ?? '');
    expect(await refusalOf(await browser.send(answerOf(await browser.authorize(one)).href))).toEqual([
      400,
      'code_refused: invalid_grant',
    ]);
  });

  test.each([
    ['PUT', { method: 'PUT' }, [405, 'method_not_allowed']],
    ['a body that is no form', { method: 'POST', body: '{}' }, [400, 'request_invalid']],
    [
      'a form that is too long',
      { method: 'POST', body: new URLSearchParams({ code: 'x'.repeat(70_000) }) },
      [400, 'request_invalid'],
    ],
  ])('%s', async (_, init, refusal) => {
    const { send } = await startAlone();
    expect(await refusalOf(await send('/callback', init))).toEqual(refusal);
  });
});

describe('the provider', () => {
  test('may be down when the app starts: 503, and the next person gets in', async () => {
    const { traffic, visitor } = await startSignInApp();
    traffic.instead = () => {
      throw new TypeError('fetch failed');
    };
    const refused = await visitor().send('/login?return_to=/orders');
    expect(refused.headers.get('retry-after')).toBe('5');
    expect(await refusalOf(refused)).toEqual([503, 'provider_unreachable']);
    traffic.instead = undefined;
    const browser = visitor();
    await browser.signIn();
    expect(await browser.person()).not.toBeNull();
  });

  test.each([
    ['is a page', () => new Response('<html>', { headers: { 'content-type': 'text/html' } })],
    ['is an error of a proxy', () => new Response('', { status: 502 })],
    ['is cut off', () => new Response('{"acc', { headers: { 'content-type': 'application/json' } })],
  ])('whose token endpoint %s is out of reach', async (_, reply) => {
    const { traffic, visitor } = await startSignInApp();
    const browser = visitor();
    const answer = answerOf(await browser.authorize(await browser.begin()));
    traffic.instead = (url) => (url.pathname === '/token' ? reply() : undefined);
    expect(await refusalOf(await browser.send(answer.href))).toEqual([503, 'provider_unreachable']);
  });

  test('that names another issuer in its document is not believed', async () => {
    const { idp, traffic, visitor } = await startSignInApp();
    traffic.instead = async (url, init) => {
      const document = (await (await fetch(url, init)).json()) as object;
      return Response.json({ ...document, issuer: `${idp.issuer}/other` });
    };
    expect((await visitor().send('/login')).status).toBe(503);
  });

  test('whose ID token has a bad signature signs nobody in', async () => {
    const { traffic, visitor } = await startSignInApp();
    const browser = visitor();
    const answer = answerOf(await browser.authorize(await browser.begin()));
    traffic.instead = async (url, init) => {
      if (url.pathname !== '/token') return undefined as never;
      const body = (await (await fetch(url, init)).json()) as { id_token: string };
      const flipped = body.id_token.endsWith('AAAA') ? 'BBBB' : 'AAAA';
      return Response.json({ ...body, id_token: body.id_token.slice(0, -4) + flipped });
    };
    expect(await refusalOf(await browser.send(answer.href))).toEqual([400, 'answer_invalid']);
    expect(await browser.person()).toBeNull();
  });
});
