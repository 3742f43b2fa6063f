/** What the README says is there, and what is there it says (style.md §4.10). A refusal prints what it should say. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readConfig } from '../src/config.js';
import { sections } from '../src/http/account_sections.js';
import { prefix, settingNames, settings } from '../src/settings.js';
import { runAlone } from './support/cli.js';
import { examplesOf, typeErrors } from './support/examples.js';
import { filesIn, root } from './support/source.js';

const readme = readFileSync(`${root}README.md`, 'utf8');
const texts = ['README.md', ...filesIn('docs', /\.md$/)].map((path) => ({
  path,
  text: readFileSync(root + path, 'utf8'),
}));

/** The table of src/settings.ts as the README has it. */
function renderSettingsTable(): string {
  const rows = settingNames().map((name) => {
    const { fallback, about } = settings[name];
    const shown = fallback === undefined || fallback === '' ? '' : `\`${fallback}\``;
    return `| \`${prefix}${name}\` | ${shown} | ${about} |`;
  });
  return ['| setting | default | what it does |', '|---|---|---|', ...rows].join('\n');
}

/** What stands between two marks of the README. */
function between(name: string): string {
  return (
    readme.split(`<!-- ${name} -->\n`)[1]?.split(`\n<!-- /${name} -->`)[0] ?? `there is no <!-- ${name} -->`
  );
}

const help = async (...args: readonly string[]) =>
  (await runAlone(() => readConfig({}, () => ''), ...args, '--help')).out;

/** The names of the commands that a help text lists. */
function listed(text: string): string[] {
  const lines = text.split(/^Commands:\n/m)[1]?.split('\n') ?? [];
  const names = lines.flatMap((line) => /^ {2}([a-z][a-z-]*)/.exec(line)?.[1] ?? []);
  return names.filter((name) => name !== 'help');
}

test('the table of settings in the README is that of src/settings.ts', () => {
  expect(between('settings')).toBe(renderSettingsTable());
});

describe('the README', () => {
  test('names every command there is and no other', async () => {
    const rows = readme.split('\n| command | does |\n|---|---|\n')[1]?.split('\n\n')[0]?.split('\n') ?? [];
    const named = rows.flatMap((row) => {
      const words = [...(row.split('|')[1]?.matchAll(/`([^`]+)`/g) ?? [])].map(([, word = '']) => word);
      const [group = '', first] = words[0]?.split(' ') ?? [];
      return first === undefined ? [group] : [first, ...words.slice(1)].map((word) => `${group} ${word}`);
    });
    const there: string[] = [];
    for (const group of listed(await help())) {
      const inside = listed(await help(group));
      there.push(...(inside.length === 0 ? [group] : inside.map((name) => `${group} ${name}`)));
    }
    expect(named.toSorted()).toEqual(there.toSorted());
  });

  test('has a folder in its table for each of src/', () => {
    const named = [...readme.matchAll(/^\|[^|\n]*`src\/([a-z_]+)`/gm)].map(([, name]) => name);
    const more = [...readme.matchAll(/^\|([^|\n]*`src\/[^|\n]*)\|/gm)].flatMap(([, cell = '']) =>
      [...cell.matchAll(/`(?:src\/)?([a-z_]+)\/?`/g)].map(([, name]) => name),
    );
    const there = new Set(
      filesIn('src', /\.(ts|js)$/).flatMap((path) =>
        path.split('/').length > 2 ? [path.split('/')[1]] : [],
      ),
    );
    expect([...new Set([...named, ...more])].toSorted()).toEqual([...there].toSorted());
  });

  test('shows commands that parse: every flag of an example is one of its command', async () => {
    const joined = texts.map(({ text }) => text.replaceAll(/\\\n\s*/g, ' ')).join('\n');
    const examples = [...joined.matchAll(/\bsallyport ([a-z][a-z-]*(?: [a-z][a-z-]*){0,2})([^\n`]*)/g)];
    const flags = examples.flatMap(([, command = '', rest = '']) =>
      [...rest.matchAll(/ (--[a-z-]+)/g)].map(([, flag = '']) => [command, flag] as const),
    );
    expect(flags.length).toBeGreaterThan(2);
    const unknown: string[] = [];
    for (const [command, flag] of flags)
      if (!(await help(...command.split(' '))).includes(flag)) unknown.push(`sallyport ${command} ${flag}`);
    expect(unknown).toEqual([]);
  });
});

test('an example that imports something compiles, in every document', async () => {
  const examples = texts.flatMap(examplesOf);
  const imported = examples.filter(({ code }) => code.includes("from 'sallyport/relying-party"));
  expect(imported.length).toBeGreaterThan(4);
  // One that must not compile says that the types are really looked at.
  const wrong = {
    path: 'made_up.md',
    line: 1,
    language: 'js',
    code: "import { createVerifier } from 'sallyport/relying-party';\ncreateVerifier({ issuer: 7 });\n",
  };
  const errors = await typeErrors([...examples, wrong]);
  expect(errors.filter((line) => !line.startsWith('made_up.md(3,'))).toEqual([]);
  expect(errors).not.toEqual([]);
}, 30_000);

describe('in every document', () => {
  test('a setting that is named is a setting', () => {
    const known = new Set(settingNames().flatMap((name) => [prefix + name, `${prefix + name}_FILE`]));
    const named = texts.flatMap(({ path, text }) =>
      [...text.matchAll(/SALLYPORT_[A-Z0-9_]+/g)].map(([name]) => ({ path, name })),
    );
    const ours = /^SALLYPORT_(DEMO|TEST)_/; // of the demo and of the tests
    expect(named.filter(({ name }) => !known.has(name) && !ours.test(name) && name !== prefix)).toEqual([]);
  });

  test('a script that is named is one of package.json', () => {
    const { scripts } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
    const named = texts.flatMap(({ path, text }) =>
      [...text.matchAll(/npm run ([a-z:]+)/g)].map(([, name = '']) => ({ path, name })),
    );
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter(({ name }) => scripts[name] === undefined)).toEqual([]);
  });

  test('a link to a file of ours leads to one', () => {
    const links = texts.flatMap(({ path, text }) => {
      const written = [...text.matchAll(/\]\(([^)#\s]+)[^)]*\)|(?:src|href)="([^"#]+)"/g)];
      const folder = path.includes('/') ? path.slice(0, path.lastIndexOf('/') + 1) : '';
      return written
        .map(([, link, source]) => link ?? source ?? '')
        .filter((link) => !/^(https?:|mailto:)/.test(link))
        .map((link) => folder + link);
    });
    const written_by_bench = 'bench/results.md';
    const gone = links.filter((link) => !existsSync(root + link) && link !== written_by_bench);
    expect(gone).toEqual([]);
  });

  test('a source file that is named is there', () => {
    const named = texts.flatMap(({ path, text }) =>
      [...text.matchAll(/`((?:src|test|migrations|views|bench)\/[\w./]+\.(?:ts|js|ejs|md))`/g)].map(
        ([, file = '']) => ({ path, file }),
      ),
    );
    expect(named.filter(({ file }) => !existsSync(root + file))).toEqual([]);
  });
});

test('docs/account.md has every page of an account', () => {
  const text = readFileSync(`${root}docs/account.md`, 'utf8');
  const listed = [...text.matchAll(/^\| `(\/account[^`]*)` \|/gm)].map(([, path]) => path);
  expect(listed).toEqual(sections.map(({ path }) => path));
});
