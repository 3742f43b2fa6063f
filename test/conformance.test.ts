/**
 * docs/conformance.md: every line of the protocol checklist, and the tests that show it. It is printed from the titles of the tests;
 * after a change of these: `npx vitest run test/conformance.test.ts -u`.
 */
import { expect, test } from 'vitest';
import { grouped, readChecklist, shownByTests, titlesOf } from './support/conformance.js';
import { parseSource } from './support/source.js';

const { sections, not_built } = readChecklist();
const sentences = new Map(Object.values(sections).flatMap((lines) => Object.entries(lines)));
const reasons = new Map(Object.entries(not_built).flatMap(([reason, ids]) => ids.map((id) => [id, reason])));
const shown = shownByTests();
const titlesFor = grouped(
  shown.flatMap(({ path, title, ids }) => ids.map((id) => ({ id, path, title }))),
  ({ id }) => id,
);
const lines = [...sentences.keys()];

test('every id that a test names is one of the checklist', () => {
  expect(shown.filter(({ ids }) => ids.some((id) => !sentences.has(id)))).toEqual([]);
  expect([...reasons.keys()].filter((id) => !sentences.has(id))).toEqual([]);
});

test('every line that is built is shown by a test', () => {
  expect(lines.filter((id) => !reasons.has(id) && !titlesFor.has(id))).toEqual([]);
});

test('no line that a test shows is said not to be built', () => {
  expect(lines.filter((id) => reasons.has(id) && titlesFor.has(id))).toEqual([]);
});

test('docs/conformance.md says so', async () => {
  await expect(renderConformance()).toMatchFileSnapshot('../docs/conformance.md');
});

test.each<[string, string, object[]]>([
  ['one id', "test('works (AUT-09)', run);", [{ title: 'works', ids: ['AUT-09'] }]],
  [
    'several, beside a section',
    "test.only('works (RFC 6749 §5.1, HTTP-09, TOK-01)', run);",
    [{ title: 'works', ids: ['HTTP-09', 'TOK-01'] }],
  ],
  [
    'a table with a title',
    "test.each(['a', 'b'])('works with %s (AUT-09)', run);",
    [{ title: 'works with %s', ids: ['AUT-09'] }],
  ],
  [
    'the cases of a table',
    "describe.each<[string, number]>([['a (AUT-08)', 1], ['b', 2]] as const)('%s', run);",
    [{ title: 'a', ids: ['AUT-08'] }],
  ],
  ['a template', 'test(`works $' + '{x} (AUT-09)`, run);', [{ title: 'works …', ids: ['AUT-09'] }]],
  [
    'a group and what is in it',
    "describe('a group (RFC 1)', () => { test('works (AUT-09)', run); }); test('ends (AUT-10)', run);",
    [
      { title: 'a group › works', ids: ['AUT-09'] },
      { title: 'ends', ids: ['AUT-10'] },
    ],
  ],
  ['nothing in the middle', "test('works (AUT-09) or not', run); log('this (AUT-09)');", []],
])('ids are found in titles: %s', (_, text, found) => {
  expect(titlesOf(parseSource('test/made_up.test.ts', text))).toEqual(found);
});

/** The document, from the checklist and the titles. */
function renderConformance(): string {
  const built = lines.filter((id) => titlesFor.has(id)).length;
  const tables = Object.entries(sections).map(([section, texts]) => {
    const rows = Object.entries(texts).map(([id, text]) => `| ${id} | ${text} | ${shownBy(id)} |`);
    return [`## ${section}\n`, '| line | what is to be seen | shown by |', '|---|---|---|', ...rows].join(
      '\n',
    );
  });
  const head = [
    '# Conformance',
    `Every behaviour of the specifications that this server sets out to have, and the tests that show it: ${built} of ${lines.length} lines. The rest say why they are not built. A test names its lines at the end of its title; this file is printed from the titles by \`test/conformance.test.ts\`.`,
  ];
  return `${[...head, ...tables].join('\n\n')}\n`;
}

/** The tests of a line by file, or why it is not built. */
function shownBy(id: string): string {
  const byFile = grouped(titlesFor.get(id) ?? [], ({ path }) => path);
  const cells = [...byFile].map(([path, namings]) => {
    const titles = [...new Set(namings.map(({ title }) => escaped(title)))].join('; ');
    return `[${path.replace(/^test\//, '')}](../${path}): ${titles}`;
  });
  return cells.length > 0 ? cells.join('<br>') : `not built: ${reasons.get(id)}`;
}

/** A text as a cell of a Markdown table. */
function escaped(text: string): string {
  return text.replaceAll(/[\\|<>*`[\]]/g, (character) => `\\${character}`).replaceAll('\n', ' ');
}
