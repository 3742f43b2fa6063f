/**
 * What each line of the protocol checklist is shown by: the titles of tests that end with its id, `… (AUT-09)`. conformance.json has
 * the lines, in the order of the checklist, and why some are not built.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Argument, CallExpression, Expression } from 'oxc-parser';
import { type SourceFile, sourceFiles, visit } from './source.js';

/** A title that names lines. */
interface Naming {
  /** The title without what stands in brackets at its end. */
  readonly title: string;
  readonly ids: readonly string[];
}

interface Shown extends Naming {
  readonly path: string;
}

interface Checklist {
  /** The sentence of each line, by section and id. */
  readonly sections: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** The ids of lines by the reason why they are not built. */
  readonly not_built: Readonly<Record<string, readonly string[]>>;
}

export function readChecklist(): Checklist {
  const path = fileURLToPath(new URL('conformance.json', import.meta.url));
  return JSON.parse(readFileSync(path, 'utf8')) as Checklist;
}

/** Every title of a test that names lines. */
export function shownByTests(): readonly Shown[] {
  return sourceFiles('test')
    .filter(({ path }) => path.endsWith('.test.ts'))
    .flatMap((file) => titlesOf(file).map((naming) => ({ ...naming, path: file.path })));
}

/**
 * The titles of one file that name lines: those of groups and tests, and those of the cases of a table. A title has those of the
 * groups around it before it.
 */
export function titlesOf(file: SourceFile): readonly Naming[] {
  const found: Naming[] = [];
  const groups: string[] = [];
  visit(file, {
    CallExpression(call) {
      const title = titleOf(call);
      if (title === undefined) return;
      const { sentence, ids } = parsed(title);
      const add = (text: string, named: readonly string[]) => {
        if (named.length > 0) found.push({ title: [...groups, text].join(' › '), ids: named });
      };
      add(sentence, ids);
      for (const label of labelsOf(call.callee).map(parsed))
        add(
          sentence.replace(/%[sj]/, () => label.sentence),
          label.ids,
        );
      if (calledName(call.callee) === 'describe') groups.push(sentence);
    },
    'CallExpression:exit'(call) {
      if (titleOf(call) !== undefined && calledName(call.callee) === 'describe') groups.pop();
    },
  });
  return found;
}

/** The title of a call that makes a test or a group. */
function titleOf({ callee, arguments: [first] }: CallExpression): string | undefined {
  return /^(test|it|describe)$/.test(calledName(callee)) ? textOf(first) : undefined;
}

/** A title, and the lines that its end names in brackets: `… (AUT-09)`, `… (RFC 6749 §5.1, HTTP-09)`. */
function parsed(title: string): { readonly sentence: string; readonly ids: readonly string[] } {
  const [, sentence = title, brackets = ''] = /^(.*?) ?\(([^()]*)\)$/s.exec(title) ?? [];
  return { sentence, ids: brackets.match(/\b[A-Z][A-Z0-9]{2,3}-\d{2}\b/g) ?? [] };
}

/** The name before all of `.each(…)` and the like. */
function calledName(callee: Expression): string {
  if (callee.type === 'Identifier') return callee.name;
  if (callee.type === 'CallExpression') return calledName(callee.callee);
  if (callee.type === 'MemberExpression') return calledName(callee.object as Expression);
  return '';
}

/** The first texts of the cases of a table that is written where it is used. */
function labelsOf(callee: Expression): readonly string[] {
  if (callee.type !== 'CallExpression') return [];
  const table = bare(callee.arguments[0]);
  if (table?.type !== 'ArrayExpression') return [];
  return table.elements.flatMap((element) => {
    const row = bare(element);
    return textOf(row?.type === 'ArrayExpression' ? row.elements[0] : row) ?? [];
  });
}

type Written = CallExpression['arguments'][number] | null | undefined;

function bare(node: Written): Argument | null | undefined {
  return node?.type === 'TSAsExpression' ? bare(node.expression) : node;
}

function textOf(node: Written): string | undefined {
  if (node?.type === 'Literal' && typeof node.value === 'string') return node.value;
  if (node?.type === 'TemplateLiteral') return node.quasis.map(({ value }) => value.cooked).join('…');
  return undefined;
}

/** Values by a key of each, in the order in which they come. */
export function grouped<T>(values: readonly T[], keyOf: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const value of values) {
    const key = keyOf(value);
    groups.set(key, [...(groups.get(key) ?? []), value]);
  }
  return groups;
}
