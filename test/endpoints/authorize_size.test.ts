import { beforeEach, describe, expect, test } from 'vitest';
import { answerOf, ask, methods, signedInBrowser } from '../support/authorize.js';
import { authorizeUrl } from '../support/flow.js';
import { startIdp, type TestIdp } from '../support/idp.js';

let idp: TestIdp;
beforeEach(async () => {
  idp = await startIdp();
  await idp.addUser();
  await idp.addClient({ first_party: true }, 'own');
});

describe('how large a request may be (decisions 11)', () => {
  /** Text that does not become shorter by deflating. */
  const noise = (length: number, seed: string) =>
    Array.from({ length: Math.ceil(length / 8) }, (_, i) => hash(`${seed}${i}`))
      .join('')
      .slice(0, length);

  test.each([
    ['state', 2048, 2047, 2000],
    ['nonce', 2047, 2048, 2000],
    ['login_hint', 2000, 2047, 2048],
  ])(
    'over 6 KiB when sealed, it is invalid_request that names the largest parameter: %s',
    async (name, ...lengths) => {
      const [state = '', nonce = '', login_hint = ''] = lengths.map((length, i) => noise(length, `${i}`));
      for (const method of methods) {
        const answer = answerOf(await ask(idp.browser(), 'own', { state, nonce, login_hint }, method));
        expect(answer).toEqual({
          error: 'invalid_request',
          error_description: `the request is too large; its largest parameter is ${name}`,
          error_uri: `${idp.issuer}/errors#invalid_request`,
          state,
          iss: idp.issuer,
        });
      }
    },
  );

  test('claims may be the largest one too', async () => {
    const claims = JSON.stringify({ id_token: { sub: { value: noise(9000, 'x') } } });
    const answer = answerOf(await ask(idp.browser(), 'own', { claims }));
    expect(answer.error_description).toBe('the request is too large; its largest parameter is claims');
  });

  test('one that needs no page needs no seal', async () => {
    const browser = await signedInBrowser(idp);
    const [state, nonce, login_hint] = [noise(2048, 'a'), noise(2048, 'b'), noise(2048, 'c')];
    expect(answerOf(await ask(browser, 'own', { state, nonce, login_hint }))).toMatchObject({
      code: expect.any(String),
      state,
    });
  });

  test('one that deflates well may not be larger than what is opened again', async () => {
    const claims = JSON.stringify({ id_token: { sub: { values: ['一'.repeat(15_000)] } } });
    const controls = '\u0001'.repeat(2048);
    const start = authorizeUrl('own').slice('/authorize?'.length);
    const body = `${start}&claims=${claims}&nonce=${controls}&login_hint=${controls}`;
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const browser = idp.browser();
    const page = await browser.follow(browser.request('/authorize', { method: 'POST', body, headers }));
    expect(answerOf(page).error_description).toBe(
      'the request is too large; its largest parameter is claims',
    );
  });
});

/** FNV-1a, as eight letters of base64url. */
function hash(text: string): string {
  let state = 0x811c9dc5n;
  for (const byte of Buffer.from(text)) state = ((state ^ BigInt(byte)) * 0x01000193n) & 0xffff_ffff_ffffn;
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(state << 16n);
  return bytes.subarray(0, 6).toString('base64url');
}
