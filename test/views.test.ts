/** Views: what is in a page is escaped, and nothing in it runs but files of our own (style.md §4.8; hardening row 17; decisions 17). */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { filesIn, root } from './support/source.js';

const views = filesIn('views', /\.ejs$/).map((path) => ({ path, text: readFileSync(root + path, 'utf8') }));

/** Places where a pattern stands, as `file:line  text`. */
function places(pattern: RegExp, among = views): string[] {
  return among.flatMap(({ path, text }) =>
    [...text.matchAll(pattern)].map(
      (match) => `${path}:${text.slice(0, match.index).split('\n').length}  ${match[0]}`,
    ),
  );
}

test('there are views', () => {
  expect(views.map(({ path }) => path)).toContain('views/login.ejs');
});

describe('a view', () => {
  test.each([
    ['puts nothing out unescaped: <%- is for includes alone', /<%-(?!\s*include\()[^%]*%>/g],
    ['has no script of its own', /<script(?![^>]*\ssrc=)[^>]*>/g],
    ['has no handler of its own', /<[^>%]*\son[a-z]+=/g],
    ['has no link that runs', /(href|action|src)="(javascript|data|vbscript):/gi],
    ['asks no other server for anything', /(src|href|action)="(https?:)?\/\//g],
    ['puts no value into an attribute without quotes', /\s[a-z-]+=<%=/g],
    [
      'posts its forms: none but the choice of a language sends its fields in an address',
      /<form(?![^>]*\smethod="post"|[^\n]*\/language">)[^>]*>/g,
    ],
    [
      'lets no browser translate or fill in a secret',
      /<input[^>]*type="password"(?![^>]*autocomplete=)[^>]*>/g,
    ],
  ])('%s', (_, pattern) => {
    expect(places(pattern)).toEqual([]);
  });

  test('has no style of its own, but in mail, which has no other', () => {
    const pages = views.filter(({ path }) => !path.startsWith('views/mail/'));
    expect(places(/<style|\sstyle=/g, pages)).toEqual([]);
  });

  test('of mail loads nothing: no image, no script, no font, no frame', () => {
    const mails = views.filter(({ path }) => path.startsWith('views/mail/'));
    expect(mails.length).toBeGreaterThan(1);
    expect(
      places(/<(img|script|link|iframe|object|video|audio)|url\(|@import|\sbackground=/gi, mails),
    ).toEqual([]);
  });

  test('with a form that posts hides the token of this browser in it', () => {
    const forms = views.filter(({ text, path }) => /<form/.test(text) && !/form_post|demo/.test(path));
    expect(forms.length).toBeGreaterThan(3);
    for (const { path, text } of forms)
      for (const [form] of text.matchAll(/<form method="post"[\s\S]*?<\/form>/g))
        expect(form, path).toMatch(/include\('_parts\/hidden'|name="csrf"/);
  });
});

describe('the rules find', () => {
  test.each([
    [/<%-(?!\s*include\()[^%]*%>/g, '<p><%- name %></p>'],
    [/<script(?![^>]*\ssrc=)[^>]*>/g, '<script>go()</script>'],
    [/<[^>%]*\son[a-z]+=/g, '<body onload="go()">'],
    [/\s[a-z-]+=<%=/g, '<a href=<%= uri %>>'],
  ])('%s in %s', (pattern, text) => {
    expect(places(pattern, [{ path: 'views/made_up.ejs', text }])).toHaveLength(1);
  });
});
