/** The catalogues and where their keys are used, for the tests that compare them. */
import { readFileSync } from 'node:fs';
import type { Expression } from 'oxc-parser';
import { type Language, languages } from '../../src/languages/catalogues.js';
import { filesIn, parseSource, root, type SourceFile, sourceFiles, visit } from './source.js';

export interface Entry {
  readonly language: Language;
  /** `area.key`, with the form of a plural. */
  readonly key: string;
  readonly text: string;
}

/** Every text of every catalogue, read anew from its file. */
export const entries: readonly Entry[] = languages.flatMap((language) =>
  filesIn(`views/languages/${language}`, /\.json$/).flatMap((path) => {
    const file: Record<string, string> = JSON.parse(readFileSync(root + path, 'utf8'));
    const area = path.slice(path.lastIndexOf('/') + 1, -'.json'.length);
    return Object.entries(file).map(([key, text]) => ({ language, key: `${area}.${key}`, text }));
  }),
);

const form = /_(zero|one|two|few|many|other)$/;
export const withoutForm = (key: string): string => key.replace(form, '');
export const formOf = (key: string): string | undefined => form.exec(key)?.[1];

/** The names of the places in a text, in order. */
export function placesIn(text: string): readonly string[] {
  return [...text.matchAll(/\{\{(\w+)\}\}/g)].map(([, name = '']) => name).toSorted();
}

export interface View {
  readonly path: string;
  readonly text: string;
}

/** The pages of the server; those of the demo are in English alone. */
export const views: readonly View[] = filesIn('views', /\.ejs$/)
  .filter((path) => !path.startsWith('views/demo/'))
  .map((path) => ({ path, text: readFileSync(root + path, 'utf8') }));

/** What stands between the tags of a view for everybody to read: no markup, no code, no comments. */
export function rawWords({ text }: View): readonly string[] {
  const gap = '\u0000';
  const outside = text
    .replaceAll(/<%[\s\S]*?%>/g, gap)
    .replaceAll(/<style>[\s\S]*?<\/style>/g, gap)
    .replaceAll(/<!--[\s\S]*?-->/g, gap);
  const said = [...outside.matchAll(/\s(?:alt|title|aria-label|placeholder|data-[a-z-]+)="([^"]*)"/g)];
  return [...outside.replaceAll(/<[^>]*>/g, gap).split(gap), ...said.map(([, value = '']) => value)]
    .map((words) => words.trim())
    .filter((words) => /\p{L}/u.test(words));
}

/** The JavaScript in a view. */
export function codeOf({ text }: View): string {
  return [...text.matchAll(/<%[-=_]?(?!#)([\s\S]*?)[-_]?%>/g)].map(([, code = '']) => code).join('\n');
}

const literal = /(['"`])([a-z][a-z0-9_]*\.[a-z][a-z0-9_]*)\1/g;

/** Every literal in source and views that reads like a key, and each `t('…')` of a view. */
export function usedKeys(): { readonly literals: ReadonlySet<string>; readonly said: readonly string[] } {
  const literals = new Set<string>();
  for (const file of sourceFiles('src')) {
    visit(file, {
      Literal: ({ value }) => void (typeof value === 'string' && literals.add(value)),
    });
  }
  for (const view of views) for (const [, , key = ''] of codeOf(view).matchAll(literal)) literals.add(key);
  const said = views.flatMap((view) =>
    [...codeOf(view).matchAll(/\bt(?:\.parts)?\(\s*(['"`])([^'"`]*)\1/g)].map(([, , key = '']) => key),
  );
  return { literals, said };
}

interface Said {
  readonly key: string;
  /** The names of the values that are given with it, in order. */
  readonly values: readonly string[];
}

/** Every text that is said with its values written beside it: `t('…', { … })` and `{ key: '…', values: { … } }`. */
export function saidWithValues(): readonly Said[] {
  const inViews = views.flatMap((view) => callsOf(codeOf(view)).map((text) => parseSource('view.js', text)));
  return [...sourceFiles('src'), ...inViews].flatMap(saidIn);
}

/** The calls `t(…)` and `t.parts(…)` in a piece of a view, each whole. */
function callsOf(code: string): readonly string[] {
  return [...code.matchAll(/\bt(?:\.parts)?\(/g)].map(({ 0: start, index }) => {
    let [end, open] = [index + start.length, 1];
    for (; open > 0 && end < code.length; end += 1)
      open += Number(code[end] === '(') - Number(code[end] === ')');
    return code.slice(index, end);
  });
}

function saidIn(file: SourceFile): readonly Said[] {
  const found: Said[] = [];
  const add = (key: Expression | undefined, values: Expression | undefined) => {
    if (key?.type !== 'Literal' || values?.type !== 'ObjectExpression') return;
    const names = values.properties.map((one) =>
      one.type === 'Property' && one.key.type === 'Identifier' ? one.key.name : null,
    );
    if (typeof key.value === 'string' && !names.includes(null))
      found.push({ key: key.value, values: names.map(String).toSorted() });
  };
  visit(file, {
    CallExpression({ callee, arguments: [key, values] }) {
      const member = callee.type === 'MemberExpression' ? callee.object : callee;
      if (member.type === 'Identifier' && member.name === 't') add(key as Expression, values as Expression);
    },
    ObjectExpression({ properties }) {
      const of = (name: string) =>
        properties.find(
          (one) => one.type === 'Property' && one.key.type === 'Identifier' && one.key.name === name,
        );
      const [key, values] = [of('key'), of('values')];
      if (key?.type === 'Property' && values?.type === 'Property') add(key.value, values.value);
    },
  });
  return found;
}

/** The first argument of every `new UserError(code, …)` in a script that says a sentence of its own. */
export function errorsWithoutKey(path: string, text: string): readonly string[] {
  const found: string[] = [];
  const file = parseSource(path, text);
  visit(file, {
    NewExpression({ callee, arguments: [, said] }) {
      if (callee.type !== 'Identifier' || callee.name !== 'UserError' || said === undefined) return;
      const template = said.type === 'TemplateLiteral';
      const sentence = said.type === 'Literal' && !/^[a-z_]+\.[a-z0-9_]+$/.test(String(said.value));
      if (template || sentence) found.push(file.text.slice(said.start, said.end));
    },
  });
  return found;
}

/** The keys of what is said as a heading, or as the title of a page. */
export function headingKeys(): ReadonlySet<string> {
  const headings = views.flatMap(({ text }) => text.match(/<h[1-6][\s>][\s\S]*?<\/h[1-6]>/g) ?? []);
  const named = sourceFiles('src').flatMap(
    ({ text }) => text.match(/\b(?:title|heading|link)(?::| =)[^,;\n]*/g) ?? [],
  );
  return new Set(
    [...headings, ...named].flatMap((code) => [...code.matchAll(literal)].map(([, , key = '']) => key)),
  );
}
