import { describe, expect, test } from 'vitest';
import * as events from '../../../src/store/events.js';
import { change, withApplication } from '../../support/account.js';
import { signedInBrowser } from '../../support/authorize.js';
import { engines } from '../../support/database.js';
import { type IdpOptions, startIdp, type TestIdp } from '../../support/idp.js';

async function start(options: IdpOptions = {}) {
  const idp = await startIdp(options);
  const user = await idp.addUser();
  idp.advance(1);
  return { idp, user };
}

/** Writes down so many events of a person, one each second or all in one. */
async function recordMany(idp: TestIdp, user_id: string, count: number, step: number): Promise<void> {
  for (let i = 0; i < count; i += 1) {
    const event = { type: 'signed_out', user_id } as const;
    await idp.db.transaction((trx) => events.record(trx, event, idp.now() - i * step, 86_400));
  }
}

const titlesOn = (html: string) =>
  [...html.matchAll(/<span class="title">([\s\S]*?)<\/span>/g)].map(([, words = '']) =>
    words.replaceAll(/<[^>]*>/g, ''),
  );

test('what a person did is told in words, newest first, with the browser and the address', async () => {
  const { idp } = await start();
  await idp.addClient({ first_party: false }, 'shop');
  const browser = await withApplication(idp);
  idp.advance(1);
  await change(browser, '/account/profile', { fields: 'name', name: 'Ada King' });
  idp.advance(1);
  await change(browser, '/account/applications', { client_id: 'shop', action: 'withdraw' });
  const { html } = await browser.get('/account/events');
  expect(titlesOn(html)).toEqual([
    'Access was taken back from Shop',
    'The profile was changed',
    'Shop was allowed to use the account',
    'Signed in',
    'The account was made',
  ]);
  expect(html).toContain('127.0.0.1');
});

describe.each(engines)('pages on %s', (engine) => {
  test.each([0, 1])('hold twenty each and leave none out, with %i seconds between them', async (step) => {
    const { idp, user } = await start({ engine });
    const bob = await idp.addUser({ email: 'bob@example.com' });
    await recordMany(idp, user.id, 45, step);
    await recordMany(idp, bob.id, 5, step);
    const browser = await signedInBrowser(idp);
    const counts: number[] = [];
    let next: string | undefined = '/account/events';
    while (next !== undefined) {
      const { html } = await browser.get(next);
      counts.push(titlesOn(html).length);
      next = /href="([^"]+)" id="older"/.exec(html)?.[1];
    }
    expect(counts).toEqual([20, 20, 7]); // with those of being added and signing in
  });
});

test.each([
  'x',
  "1.' or 1=1 --",
  '1',
  '1.',
  '-1.a',
  '1e9.a',
  '1.a b',
  '99999999999999999999.a',
  '1.a&before=2.b',
])(
  'a place that nobody gave out, %s, begins at the beginning or is refused: never a 500 (hardening 25)',
  async (before) => {
    const { idp } = await start();
    const browser = await signedInBrowser(idp);
    const { status, html } = await browser.get(`/account/events?before=${before.replaceAll(' ', '%20')}`);
    expect([200, 400]).toContain(status);
    if (status === 200) expect(titlesOn(html).length).toBeGreaterThan(0);
  },
);
