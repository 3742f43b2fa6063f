/** Who may import whom (style.md §4.1, decisions 31). A refusal prints the import: file → file. */
import { posix } from 'node:path';
import { describe, expect, test } from 'vitest';
import { filesIn, type Import, type SourceFile, sourceFiles } from './support/source.js';

const files = sourceFiles('src');

/** The rank of each folder, and of each file at the top: an import goes to a lower one, or stays in its folder. */
const ranks: Readonly<Record<string, number>> = {
  branding: -1,
  languages: -1,
  oauth: 0,
  relying_party: 0,
  store: 1,
  devices: 1,
  keys: 2,
  claims: 2,
  mail: 2,
  limits: 2,
  tokens: 3,
  factors: 3,
  client_auth: 3,
  grants: 4,
  // A client of other servers: it verifies what they sign with the keys that client_auth fetches and keeps.
  upstream: 4,
  actions: 5,
  http: 5,
  endpoints: 6,
  pages: 6,
  api: 6,
  jobs: 6,
  cli: 6,
  routes: 6.5,
  'app.ts': 7,
  'deps.ts': 7,
  'server.ts': 7,
  'tls.ts': 6,
  'main.ts': 8,
  'pack_relying_party.ts': 8,
  'cli.ts': 8,
  demo: 8,
};

/** Importable by all but relying_party; setting_kinds.ts itself needs to know what a loopback host is. */
const common = new Set([
  'src/config.ts',
  'src/mailing.ts',
  'src/secrets.ts',
  'src/setting_kinds.ts',
  'src/settings.ts',
  'src/transport.ts',
]);

/** What a file belongs to: its folder, or itself. demo.ts starts what is in demo/; settings/ holds the parts of settings.ts. */
function unitOf(path: string): string {
  const [, first = ''] = path.split('/');
  return first === 'demo.ts' ? 'demo' : first;
}

const isCommon = (path: string) => common.has(path) || unitOf(path) === 'settings';

function isAllowed(from: string, { path, type_only }: Import): boolean {
  if (path === null || !path.startsWith('src/')) return true;
  if (unitOf(from) === 'relying_party') return unitOf(path) === 'relying_party';
  if (isCommon(path)) return true;
  if (path === 'src/deps.ts' && type_only) return true;
  if (unitOf(from) === unitOf(path)) return true;
  const [here, there] = [isCommon(from) ? 1 : ranks[unitOf(from)], ranks[unitOf(path)]];
  if (here === undefined || there === undefined) return false;
  return there < here || (from === 'src/main.ts' && path === 'src/cli.ts');
}

const imports = files.flatMap((file) => file.imports.map((one) => ({ file, one })));
const arrow = ({ file, one }: { file: SourceFile; one: Import }) =>
  `${file.path} → ${one.path ?? one.specifier}`;

describe('an import', () => {
  test('goes to a lower rank, or stays in its folder', () => {
    expect(imports.filter(({ file, one }) => !isAllowed(file.path, one)).map(arrow)).toEqual([]);
  });

  test('comes from a folder whose rank is known', () => {
    const known = (path: string) => isCommon(path) || ranks[unitOf(path)] !== undefined;
    expect(files.map(({ path }) => path).filter((path) => !known(path))).toEqual([]);
  });

  test('of a page is in no other page: nextStep decides what comes next', () => {
    const between = imports.filter(
      ({ file, one }) => file.path.startsWith('src/pages/') && one.path?.startsWith('src/pages/'),
    );
    expect(between.map(arrow)).toEqual([]);
  });

  test('names a file that is there', () => {
    const there = new Set([...files.map(({ path }) => path), ...filesIn('views/languages', /\.json$/)]);
    expect(imports.filter(({ one }) => one.path !== null && !there.has(one.path)).map(arrow)).toEqual([]);
  });
});

/** Packages and modules that one part of the source alone may use, and where that is. */
const keepers: readonly (readonly [what: RegExp, where: RegExp, why: string])[] = [
  [/^knex$/, /^src\/store\//, 'store/ alone knows the query builder'],
  [/^(sqlite3|pg)$/, /^src\/store\/dialects\//, 'a dialect alone knows its driver'],
  [
    /^(koa|@koa\/router)$/,
    /^src\/(http|endpoints|pages|api|routes|demo|app\.ts|server\.ts)/,
    'koa is not known below rank 5',
  ],
  [/^i18next$/, /^src\/languages\//, 'texts are looked up in one place'],
  [
    /^ejs$/,
    /^src\/(http\/views\.ts|mail\/templates\.ts|demo\/)/,
    'pages are rendered in one place, and mail in another',
  ],
  [/^nodemailer$/, /^src\/mail\/smtp\.ts$/, 'mail leaves in one place'],
  [/^argon2$/, /^src\/limits\/hashing_process\.js$/, 'passwords are hashed in a process of their own'],
  [/^commander$/, /^src\/cli/, 'commands are in cli/'],
  [/^pino$/, /^src\/deps\.ts$/, 'the log is opened once'],
  [
    /^openid-client$/,
    /^src\/(relying_party|upstream)\//,
    'the server is a client of other providers alone, in one place',
  ],
  [
    /^node:https?$/,
    /^src\/(server\.ts|tls\.ts|limits\/outbound\.ts|demo)/,
    'what goes out passes the outbound gate',
  ],
  [
    /^node:(net|tls|dgram|dns)/,
    /^src\/(server\.ts|tls\.ts|limits\/outbound(_address)?\.ts|http\/client_(address|certificate)\.ts|mail\/smtp\.ts|demo)/,
    'what goes out passes the outbound gate',
  ],
  [
    /^node:child_process$/,
    /^src\/(limits\/child_queue|pack_relying_party)\.ts$/,
    'processes are started in one place; and npm, by a tool',
  ],
  [
    /^node:fs/,
    /^src\/(main\.ts|tls\.ts|pack_relying_party\.ts|keys\/master_key\.ts|limits\/judging_process\.js|store\/|http\/(render|views)\.ts|mail\/templates\.ts|languages\/catalogues\.ts|cli\/|demo)/,
    'files are read at the edges',
  ],
  [/^@zxcvbn-ts/, /^src\/limits\/judging_process\.js$/, 'passwords are judged in a process of their own'],
  [/^node:process$/, /^src\/limits\/child_jobs\.js$/, 'the environment is config.ts’s'],
];

describe('a package', () => {
  test.each(keepers)('%s is imported from %s alone: %s', (what, where) => {
    const users = imports
      .filter(({ one }) => what.test(one.specifier))
      .filter(({ file }) => !where.test(file.path));
    expect(users.map(arrow)).toEqual([]);
  });

  test('is imported by name: there is no default export of our own', () => {
    const defaults = files.flatMap(({ path, program }) =>
      program.body.filter(({ type }) => type === 'ExportDefaultDeclaration').map(() => path),
    );
    expect(defaults).toEqual([]);
  });
});

describe('the layout', () => {
  test('has no folder for things without a home', () => {
    const homeless = files
      .map(({ path }) => path)
      .filter((path) => /(^|\/)(utils?|helpers?|common|misc|shared)[/.]/.test(path));
    expect(homeless).toEqual([]);
  });

  test('names files in snake_case', () => {
    expect(
      files.map(({ path }) => posix.basename(path)).filter((name) => !/^[a-z0-9_]+\.(ts|js)$/.test(name)),
    ).toEqual([]);
  });

  test.each([
    'src/grants/index.ts',
    'src/claims/registry.ts',
    'src/client_auth/registry.ts',
    'src/jobs/index.ts',
    'src/oauth/response_modes/index.ts',
    'src/store/dialects/index.ts',
  ])('%s is a list and nothing else', (path) => {
    const file = files.find((one) => one.path === path);
    expect(new Set(file?.program.body.map(({ type }) => type))).toEqual(new Set(['ExportNamedDeclaration']));
    expect(file?.program.body).toHaveLength(file?.imports.length ?? -1);
  });

  test('keeps no state at the top of a file: there is no let and no var', () => {
    const state = files.flatMap(({ path, program }) =>
      program.body
        .map((node) => (node.type === 'ExportNamedDeclaration' ? node.declaration : node))
        .filter((node) => node?.type === 'VariableDeclaration' && node.kind !== 'const')
        .map(() => path),
    );
    expect(state).toEqual([]);
  });
});
