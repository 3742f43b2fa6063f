/** The source as a parser sees it (decisions 32): for the tests that read code. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Program, parseSync, Visitor, type VisitorObject } from 'oxc-parser';

export const root = fileURLToPath(new URL('../../', import.meta.url));

export interface Import {
  /** As it is written. */
  readonly specifier: string;
  /** The path of the file in this repository; null for a package. */
  readonly path: string | null;
  /** Nothing of it is there when the program runs. */
  readonly type_only: boolean;
  readonly names: readonly string[];
}

export interface SourceFile {
  /** From the top of the repository, with slashes: `src/store/db.ts`. */
  readonly path: string;
  readonly text: string;
  readonly program: Program;
  readonly imports: readonly Import[];
}

/** Paths of the files of a folder and its folders, from the top of the repository, by how their names end. */
export function filesIn(folder: string, ending: RegExp): readonly string[] {
  return readdirSync(root + folder, { recursive: true, encoding: 'utf8' })
    .map((path) => posix.join(folder, path.replaceAll('\\', '/')))
    .filter((path) => ending.test(path))
    .sort();
}

/** The scripts of a folder, parsed. */
export function sourceFiles(folder: string): readonly SourceFile[] {
  return filesIn(folder, /\.(ts|js)$/).map((path) => parseSource(path, readFileSync(root + path, 'utf8')));
}

export function parseSource(path: string, text: string): SourceFile {
  const { program, errors } = parseSync(path, text);
  const [error] = errors;
  if (error !== undefined) throw new Error(`${path}: ${error.message}`);
  return { path, text, program, imports: importsOf(path, program) };
}

function importsOf(path: string, program: Program): readonly Import[] {
  const found: Import[] = [];
  const add = (specifier: string, type_only: boolean, names: readonly string[]) =>
    found.push({ specifier, path: resolved(path, specifier), type_only, names });
  const nameOf = (node: { readonly type: string; readonly name?: string; readonly value?: unknown }) =>
    String(node.name ?? node.value);
  new Visitor({
    ImportDeclaration({ source, importKind, specifiers }) {
      const values = specifiers.filter((one) => one.type !== 'ImportSpecifier' || one.importKind !== 'type');
      const names = specifiers.map((one) => (one.type === 'ImportSpecifier' ? nameOf(one.imported) : '*'));
      add(source.value, importKind === 'type' || (specifiers.length > 0 && values.length === 0), names);
    },
    ExportNamedDeclaration({ source, exportKind, specifiers }) {
      if (source)
        add(
          source.value,
          exportKind === 'type',
          specifiers.map(({ local }) => nameOf(local)),
        );
    },
    ExportAllDeclaration: ({ source, exportKind }) => add(source.value, exportKind === 'type', ['*']),
    ImportExpression({ source }) {
      if (source.type === 'Literal') add(String(source.value), false, ['*']);
    },
    TSImportType: ({ source }) => add(source.value, true, ['*']),
  }).visit(program);
  return found;
}

/** A relative import names the file that the build makes; here it is the source of it. */
function resolved(from: string, specifier: string): string | null {
  if (!specifier.startsWith('.')) return null;
  const path = posix.join(posix.dirname(from), specifier);
  const typed = path.replace(/\.js$/, '.ts');
  return existsSync(root + typed) ? typed : path;
}

interface Node {
  readonly start: number;
  readonly end: number;
}

/** Where a node stands, as an editor opens it. */
export function placeOf({ path, text }: SourceFile, { start }: Node): string {
  return `${path}:${text.slice(0, start).split('\n').length}`;
}

export function visit(file: SourceFile, visitor: VisitorObject): void {
  new Visitor(visitor).visit(file.program);
}

/** Text of a node. */
export function textOf({ text }: SourceFile, { start, end }: Node): string {
  return text.slice(start, end);
}
