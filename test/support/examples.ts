/** The code in our documents, type-checked as an integrator's compiler would: against the source that the package is built from. */
import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { tsc } from './program.js';
import { root } from './source.js';

export interface Example {
  readonly path: string;
  readonly line: number;
  readonly language: string;
  readonly code: string;
}

/** The blocks of a document that import something: programs, not parts of one. */
export function examplesOf({ path, text }: { readonly path: string; readonly text: string }): Example[] {
  return [...text.matchAll(/^```(js|ts)\n([\s\S]*?)^```/gm)].flatMap((match) => {
    const [, language = '', code = ''] = match;
    const line = text.slice(0, match.index).split('\n').length;
    return /^import /m.test(code) ? [{ path, line, language, code }] : [];
  });
}

/** What the text around an example leaves to its reader, and a framework that is not installed here. */
const given = `
  import type Koa from 'koa';
  declare global {
    const app: Koa;
    const client_id: string;
    const client_secret: string;
    const text: string;
    const current: URL;
  }`;
const frameworks = `declare module 'express';`;

/** What the compiler says of them, a line each: `README.md(123,4): error …`, with the line of the document. */
export async function typeErrors(examples: readonly Example[]): Promise<readonly string[]> {
  // Where the packages are found that an example imports.
  const folder = join(root, 'node_modules', '.cache', 'sallyport', `examples-${crypto.randomUUID()}`);
  await mkdir(folder, { recursive: true });
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const names = new Map<string, string>();
  for (const { path, line, language, code } of examples) {
    const name = `example-${names.size + 1}.m${language}`;
    names.set(name, path);
    await writeFile(join(folder, name), '\n'.repeat(line) + code); // so that its lines have the numbers of the document
  }
  await writeFile(join(folder, 'given.mts'), given);
  await writeFile(join(folder, 'frameworks.d.ts'), frameworks);
  const config = {
    extends: join(root, 'tsconfig.json'),
    // An example in JavaScript leaves out the types of parameters.
    compilerOptions: { noImplicitAny: false, incremental: false },
    files: [...names.keys(), 'given.mts', 'frameworks.d.ts'],
    include: [],
  };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config));
  const said = await compile(folder);
  return said.map((line) =>
    line.replace(/^(?:.*\/)?(example-\d+\.m[jt]s)/, (_, name) => names.get(name) ?? name),
  );
}

async function compile(folder: string): Promise<readonly string[]> {
  const compiler = await tsc();
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [compiler, '-p', folder, '--pretty', 'false'],
      { cwd: folder },
      (_, out, err) => resolve((out + err).split('\n').filter((line) => line !== '')),
    );
  });
}
