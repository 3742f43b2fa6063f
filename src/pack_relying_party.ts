/**
 * Packs src/relying_party as a package of its own, so that an application installs neither the server nor what it compiles (decisions 35):
 * npm run pack:rp [folder]. Prints the path of the tarball.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const built = fileURLToPath(new URL('relying_party/', import.meta.url));
const root = fileURLToPath(new URL('../', import.meta.url));
const { version, license, engines, dependencies } = JSON.parse(
  readFileSync(join(root, 'package.json'), 'utf8'),
);

/** What its files import, at the versions that the server is tested with. */
const own = ['jose', 'openid-client'];

const manifest = {
  name: 'sallyport-relying-party',
  version,
  description: 'Sign people in with any OpenID provider; verify access tokens offline, and see them revoked.',
  license,
  type: 'module',
  engines,
  exports: {
    '.': { types: './index.d.ts', default: './index.js' },
    './sign-in': { types: './sign_in/index.d.ts', default: './sign_in/index.js' },
    './package.json': './package.json',
  },
  sideEffects: false,
  dependencies: Object.fromEntries(own.map((name) => [name, dependencies[name]])),
};

const to = resolve(process.argv[2] ?? '.');
const folder = mkdtempSync(join(tmpdir(), 'sallyport-relying-party-'));
try {
  cpSync(built, folder, { recursive: true });
  cpSync(join(root, 'LICENSE'), join(folder, 'LICENSE'));
  cpSync(join(root, 'docs/relying-apps.md'), join(folder, 'README.md'));
  cpSync(join(root, 'docs/relying-apps-sign-in.md'), join(folder, 'relying-apps-sign-in.md'));
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  mkdirSync(to, { recursive: true });
  const printed = execFileSync('npm', ['pack', '--json', '--pack-destination', to], {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [{ filename }] = JSON.parse(printed);
  process.stdout.write(`${join(to, filename)}\n`);
} finally {
  rmSync(folder, { recursive: true });
}
