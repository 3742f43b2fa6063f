/** Every form of the account × input that is missing, empty, repeated or too long: a clear answer, and nothing changes. Hardening row 13. */
import { describe, expect, test } from 'vitest';
import { deletedAndBack, withApplication } from '../../support/account.js';
import { countRows, signedInBrowser } from '../../support/authorize.js';
import type { Browser } from '../../support/browser.js';
import { type Form, startIdp, type TestIdp } from '../../support/idp.js';

interface Case {
  readonly open: (idp: TestIdp) => Promise<Browser>;
  /** A form that would change something. */
  readonly form: Readonly<Record<string, string>>;
  /** Fields without which the form still says all. */
  readonly spare: readonly string[];
}

const cases: Readonly<Record<string, Case>> = {
  '/account/profile': {
    open: signedInBrowser,
    form: { fields: 'name', name: 'Ada King' },
    spare: ['name', 'fields'], // without it nothing is said of a claim; with it, an empty one is taken away
  },
  '/account/password': { open: signedInBrowser, form: { password: 'four words of no kin' }, spare: [] },
  '/account/sessions': {
    open: signedInBrowser,
    form: { action: 'end', session: 'x'.repeat(22) },
    spare: [],
  },
  '/account/applications': {
    open: withApplication,
    form: { client_id: 'shop' },
    spare: [],
  },
  '/account/delete': {
    open: signedInBrowser,
    form: { typed: 'ada@example.com' },
    spare: [],
  },
  '/account/keep': {
    open: deletedAndBack,
    form: { request: 'x' },
    spare: ['request'],
  },
};

const damages: readonly (readonly [string, (text: string) => string | readonly string[] | undefined])[] = [
  ['missing', () => undefined],
  ['empty', () => ''],
  ['repeated', (text) => [text, text]],
  ['longer than any', (text) => text + 'x'.repeat(3000)],
];

const rows = Object.entries(cases).flatMap(([path, { form, spare }]) =>
  [...Object.keys(form), 'csrf'].flatMap((field) =>
    damages
      .filter(([what]) => !(spare.includes(field) && ['missing', 'empty'].includes(what)))
      .map(([what, damage]) => ({ path, field, what, damage })),
  ),
);

describe('a form of the account', () => {
  test.each(rows)(
    '$path where $field is $what is refused, and changes nothing',
    async ({ path, field, damage }) => {
      const idp = await startIdp();
      await idp.addUser();
      await idp.addClient({ first_party: false }, 'shop');
      const { open, form } = cases[path] ?? { open: signedInBrowser, form: {} };
      const browser = await open(idp);
      const page = await browser.get(path === '/account/keep' ? path : '/account/profile');
      const csrf = /name="csrf" value="([^"]+)"/.exec(page.html)?.[1] ?? '';
      const before = await countRows(idp);
      const whole: Readonly<Record<string, string>> = { ...form, csrf };
      const sent: Form = { ...whole, [field]: damage(whole[field] ?? '') };
      const answer = await browser.post(path, sent);
      expect([400, 403, 404]).toContain(answer.status);
      expect(await countRows(idp)).toEqual(before);
    },
  );
});
