import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { buildProgram } from '../support/program.js';

const root = fileURLToPath(new URL('../../', import.meta.url));

interface Manifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

const manifestOf = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));

/** Puts a package and all that it depends on into a folder, as npm would; nothing else of ours is there. */
function install(name: string, into: string): void {
  const to = join(into, 'node_modules', name);
  if (readable(to)) return;
  mkdirSync(join(to, '..'), { recursive: true });
  const from = join(root, 'node_modules', name);
  symlinkSync(from, to);
  for (const dependency of Object.keys(manifestOf(from).dependencies ?? {})) install(dependency, into);
}

function readable(folder: string): boolean {
  try {
    return manifestOf(folder).name !== '';
  } catch {
    return false; // not installed yet
  }
}

test('the package for applications stands alone: in an empty folder it imports with what it says it needs (decisions 35)', async () => {
  const built = dirname(await buildProgram());
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-app-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const packed = execFileSync(process.execPath, [join(built, 'pack_relying_party.js'), folder], {
    encoding: 'utf8',
  });
  const own = join(folder, 'node_modules/sallyport-relying-party');
  mkdirSync(own, { recursive: true });
  execFileSync('tar', ['-xzf', packed.trim(), '-C', own, '--strip-components=1']);
  const needed = Object.keys(manifestOf(own).dependencies ?? {});
  expect(needed).toEqual(['jose', 'openid-client']);
  for (const name of needed) install(name, folder);

  writeFileSync(
    join(folder, 'app.mjs'),
    `import { createVerifier, requireToken, TokenError } from 'sallyport-relying-party';
    import { createSignIn, memorySessions } from 'sallyport-relying-party/sign-in';
    const verifier = createVerifier({ issuer: 'https://id.example', audience: 'https://api.example' });
    const fault = await verifier.verify('rubbish').catch((error) => error);
    verifier.close();
    console.log(JSON.stringify([fault instanceof TokenError, fault.reason, typeof requireToken, typeof createSignIn, typeof memorySessions]));`,
  );
  const said = execFileSync(process.execPath, ['--preserve-symlinks', join(folder, 'app.mjs')], {
    cwd: folder,
    encoding: 'utf8',
  });
  expect(JSON.parse(said)).toEqual([true, 'malformed', 'function', 'function', 'function']);
});
