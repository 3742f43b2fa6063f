/** Headings are large, and windows narrow: no word of one is broken at its hyphen. */
import { describe, expect, test } from 'vitest';
import { entries, headingKeys, withoutForm } from '../support/catalogues.js';

describe('a heading, or the title of a page,', () => {
  const keys = headingKeys();

  test('is found, whether a view says it, a page, or an error', () => {
    expect([...keys]).toEqual(
      expect.arrayContaining(['form_post.asked_title', 'login.title', 'factor.apps', 'errors.our_fault']),
    );
    expect(keys.size).toBeGreaterThan(80);
  });

  test('has no hyphen at which a line may end: U+2011 is one at which it may not (UAX #14)', () => {
    const headings = entries.filter(({ key }) => keys.has(key) || keys.has(withoutForm(key)));
    expect(headings.filter(({ text }) => /\p{L}[-\u2010]\p{L}/u.test(text))).toEqual([]);
    expect(headings.filter(({ text }) => text.includes('\u2011')).length).toBeGreaterThan(0);
  });
});
