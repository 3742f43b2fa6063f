// @ts-check
/** Makes sure that the peer is installed: its packages are in bench/peers/, apart from ours. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../peers/', import.meta.url));

/**
 * @param {(text: string) => void} progress
 * @returns {Promise<string | null>} why the peer cannot be used; null if it can
 */
export async function installPeers(progress) {
  if (existsSync(`${folder}node_modules/.package-lock.json`)) return null;
  const command = existsSync(`${folder}package-lock.json`) ? 'ci' : 'install';
  const started = Date.now();
  const tell = () => {
    const seconds = Math.round((Date.now() - started) / 1000);
    progress(
      `npm ${command} in bench/peers, ${seconds} s (some minutes if better-sqlite3 has to be compiled)`,
    );
  };
  tell();
  const timer = setInterval(tell, 5000);
  try {
    const { code, said } = await run('npm', [command, '--no-audit', '--no-fund'], folder);
    return code === 0 ? null : `npm ${command} in bench/peers failed:\n${said}`;
  } catch (error) {
    return `npm cannot be run: ${error instanceof Error ? error.message : error}`;
  } finally {
    clearInterval(timer);
  }
}

/**
 * @param {string} program
 * @param {readonly string[]} args
 * @param {string} cwd
 * @returns {Promise<{ readonly code: number | null, readonly said: string }>}
 */
function run(program, args, cwd) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        said = (said + text).slice(-4000);
      });
    }
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, said }));
  });
}
