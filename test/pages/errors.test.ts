/** The table of error codes, as it is printed: /errors for whoever follows error_uri, docs/errors.md for whoever reads ahead. */
import { expect, test } from 'vitest';
import { errorCodes } from '../../src/oauth/error_codes.js';
import { startIdp } from '../support/idp.js';

const entries = Object.entries(errorCodes);

test('the page has an entry for every code, at the anchor that error_uri names (decisions 28)', async () => {
  const idp = await startIdp();
  const answer = await fetch(`${idp.issuer}/errors`);
  const page = await answer.text();

  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
  expect([...page.matchAll(/<section class="entry" id="([^"]+)"/g)].map(([, id]) => id)).toEqual(
    entries.map(([code]) => code),
  );
  for (const [code, { sentence, advice }] of entries) {
    expect(page, code).toContain(`<p lang="en" dir="ltr">${sentence}</p>`);
    expect(page, code).toContain(`<p lang="en" dir="ltr">${advice}</p>`);
  }
});

test('every entry is a sentence and an advice, without what a page would have to escape', () => {
  for (const [code, { status, sentence, advice }] of entries) {
    expect(code).toMatch(/^[a-z_]+$/);
    expect(status).toBeGreaterThanOrEqual(400);
    for (const text of [sentence, advice]) expect(text, code).toMatch(/^[A-Z“][^<>&"'|`]+\.$/);
  }
});

/** What stands in docs/errors.md. After a change of the table: `npx vitest run test/pages/errors.test.ts -u`. */
test('docs/errors.md is the table of src/oauth/error_codes.ts', async () => {
  const sections = entries.map(([code, { status, sentence, advice }]) =>
    [`## ${code}`, sentence, advice, `Status ${status}.`].join('\n\n'),
  );
  const head = [
    '# Error codes',
    'What an application is answered when its request cannot be granted: `error` is one of these, `error_description` says which check failed, and `error_uri` leads to the entry on the page `/errors` of the server.',
    'The status is that of an endpoint which the application calls itself; the authorization endpoint sends the code back to the redirect URI. This file is printed from `src/oauth/error_codes.ts`.',
  ];
  await expect(`${[...head, ...sections].join('\n\n')}\n`).toMatchFileSnapshot('../../docs/errors.md');
});
