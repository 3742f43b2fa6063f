/** The real program, built and run as a process: what a user types (design.md §2). */
import { once } from 'node:events';
import { chmod, mkdir, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { request as secureRequest } from 'node:https';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { newKey } from '../src/secrets.js';
import { type Made, newCertificate } from './support/certificates.js';
import { newFolder } from './support/folder.js';
import { freePort } from './support/free_port.js';
import { buildProgram, Program, runProgram } from './support/program.js';

let main: string;
beforeAll(async () => {
  main = await buildProgram();
});

const mode = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);
const link = /http:\/\/localhost:\d+\/claim\?token=[\w-]{43}/;

/** An empty folder, and the settings of a server in it. */
async function newPlace() {
  const cwd = await newFolder();
  const port = await freePort();
  const settings = { ISSUER: `http://localhost:${port}`, LOG_LEVEL: 'warn' };
  return {
    cwd,
    port,
    url: `http://127.0.0.1:${port}`,
    settings,
    keyFile: join(cwd, 'keys', 'master-0001.key'),
    start: (more = {}) => new Program(main, ['serve'], { cwd, settings: { ...settings, ...more } }),
    run: (...args: string[]) => runProgram(main, args, { cwd, settings }),
  };
}

/** Sends SIGTERM. Gives the exit code and how long it took, in milliseconds. */
async function stop(program: Program) {
  const began = performance.now();
  program.child.kill('SIGTERM');
  const { code, err } = await program.exit;
  return { code, err, took: performance.now() - began };
}

const statusOf = async (uri: string) => (await fetch(uri.replace('localhost', '127.0.0.1'))).status;

/** The published keys for one use. */
async function published(url: string, use: string) {
  const { keys } = (await (await fetch(`${url}/jwks`)).json()) as {
    keys: { use: string; kid: string; alg: string }[];
  };
  return keys.filter((key) => key.use === use);
}
const signingKids = async (url: string) => (await published(url, 'sig')).map(({ kid }) => kid);
const encryptionAlgs = async (url: string) => (await published(url, 'enc')).map(({ alg }) => alg);

describe('sallyport serve', () => {
  test('on an empty folder makes what it needs, prints the claim link, lets no second one in, and keeps its keys over a restart', async () => {
    const place = await newPlace();
    const first = place.start();
    const out = await first.said(link);
    const [old = ''] = link.exec(out) ?? [];
    expect(out).toContain(`Sallyport serves ${place.settings.ISSUER}`);
    expect([await statusOf(`${place.url}/readyz`), await statusOf(old)]).toEqual([200, 200]);
    expect([await mode(join(place.cwd, 'keys')), await mode(join(place.cwd, 'data'))]).toEqual([
      '700',
      '700',
    ]);
    expect(await mode(place.keyFile)).toBe('600');
    const signing = await signingKids(place.url);
    const beside = await place.start({ PORT: '0' }).exit;
    const file = join(place.cwd, 'data', 'sallyport.sqlite');
    expect([beside.code, beside.err]).toEqual([
      1,
      `another server runs on ${file}: SQLite is for one alone, PostgreSQL for any number\n`,
    ]);
    const { code, err, took } = await stop(first); // the connections of fetch above are open and idle
    expect([code, err]).toEqual([0, '']);
    expect(took).toBeLessThan(8000); // the limit for what is under way is 10 s, and nothing is

    const second = place.start();
    const [fresh = ''] = link.exec(await second.said(link)) ?? [];
    expect(await signingKids(place.url)).toEqual(signing);
    // What others encrypt to is made behind the server's back: a start waits for no second RSA key.
    await expect.poll(() => encryptionAlgs(place.url), { timeout: 10_000 }).toContain('RSA-OAEP-256');
    expect([await statusOf(old), await statusOf(fresh)]).toEqual([403, 200]);
  });

  test('on SIGTERM finishes the request that is under way, refuses new ones, and exits with 0', async () => {
    const place = await newPlace();
    const server = place.start();
    await server.said(link);
    const slow = request({ host: '127.0.0.1', port: place.port, path: '/token', method: 'POST' });
    slow.setHeader('content-type', 'application/x-www-form-urlencoded');
    slow.setHeader('content-length', 29);
    slow.setHeader('expect', '100-continue'); // the server says so when the request is under way
    slow.flushHeaders();
    await once(slow, 'continue');
    server.child.kill('SIGTERM');
    let refused = false;
    while (!refused)
      refused = await fetch(`${place.url}/healthz`).then(
        () => false,
        () => true,
      );

    slow.end('grant_type=authorization_code');
    const [response] = await once(slow, 'response');
    expect([response.statusCode, response.headers.connection]).toEqual([401, 'close']);
    response.resume();
    expect((await server.exit).code).toBe(0);
  });

  test('prints the claim link to a pipe, never into a file (decisions 15)', async () => {
    const place = await newPlace();
    const log = join(place.cwd, 'log');
    const file = await open(log, 'w');
    onTestFinished(() => file.close());
    const server = new Program(main, ['serve'], {
      cwd: place.cwd,
      settings: place.settings,
      stdout: file.fd,
    });
    while (!(await readFile(log, 'utf8')).includes('users add')) {
      const ended = await Promise.race([server.exit, statusOf(`${place.url}/healthz`).catch(() => null)]);
      expect(ended === null || typeof ended === 'number', server.err).toBe(true);
    }
    const written = await readFile(log, 'utf8');
    expect(written).toContain('shown on a terminal only');
    expect(written + server.err).not.toMatch(/token=|[\w-]{43}/);
  });

  test('goes on where its log cannot be written, and ends when it is told to', async () => {
    const place = await newPlace();
    const log = await open('/dev/null', 'r'); // nothing can be written to it, as to a disk that is full
    onTestFinished(() => log.close());
    const settings = { ...place.settings, LOG_LEVEL: 'debug' };
    const server = new Program(main, ['serve'], { cwd: place.cwd, settings, stderr: log.fd });
    await server.said(link);
    for (const path of ['/nothing', '/userinfo', '/healthz'])
      expect(await statusOf(place.url + path)).toBeLessThan(500);
    const { code, took } = await stop(server);
    expect(code).toBe(0);
    expect(took).toBeLessThan(8000);
  });

  test('is told by SIGHUP, without a certificate, and goes on', async () => {
    const place = await newPlace();
    const settings = { ...place.settings, LOG_LEVEL: 'info' };
    const server = new Program(main, ['serve'], { cwd: place.cwd, settings });
    await server.said(link);
    server.child.kill('SIGHUP');
    while (!server.err.includes('no certificate to renew')) await once(server.child.stderr as never, 'data');
    expect(await statusOf(`${place.url}/healthz`)).toBe(200);
    expect((await stop(server)).code).toBe(0);
  });

  test('speaks https itself, and takes a renewed certificate when it is told to by SIGHUP (HTTP-01)', async () => {
    const place = await newPlace();
    const [TLS_CERT, TLS_KEY] = [join(place.cwd, 'cert.pem'), join(place.cwd, 'key.pem')];
    const write = async (made: Made) => {
      await writeFile(TLS_CERT, made.pem);
      await writeFile(TLS_KEY, made.key_pem);
      return made.der.toString('base64');
    };
    const first = await write(newCertificate());
    const ISSUER = `https://localhost:${place.port}`;
    const settings = { ISSUER, TLS_CERT, TLS_KEY, HOST: '127.0.0.1', LOG_LEVEL: 'info' };
    const server = new Program(main, ['serve'], { cwd: place.cwd, settings });
    await server.said(`serves ${ISSUER}`);
    const shown = async () => {
      const options = { host: '127.0.0.1', port: place.port, rejectUnauthorized: false, agent: false };
      const [response] = await once(secureRequest({ ...options, path: '/healthz' }).end(), 'response');
      const { raw } = (response.socket as TLSSocket).getPeerCertificate();
      response.resume();
      return [response.statusCode, response.headers['strict-transport-security'], raw.toString('base64')];
    };
    expect(await shown()).toEqual([200, 'max-age=63072000', first]);
    const second = await write(newCertificate());
    server.child.kill('SIGHUP');
    while (!server.err.includes('the renewed certificate is in use'))
      await once(server.child.stderr as never, 'data');
    expect(await shown()).toEqual([200, 'max-age=63072000', second]);
    expect((await stop(server)).code).toBe(0);
  });

  test('where the port is taken says so in a sentence and exits with 1', async () => {
    const place = await newPlace();
    const other = createServer().listen(place.port, '127.0.0.1');
    await once(other, 'listening');
    onTestFinished(() => void other.close());
    const { code, out, err } = await place.run('serve');
    expect([code, out, err]).toEqual([
      1,
      '',
      `Port ${place.port} of 127.0.0.1 is taken by another program. SALLYPORT_PORT chooses another.\n`,
    ]);
  });

  test('with signing keys and another master key, none, or one that others may read stops with a sentence and exits with 1', async () => {
    const place = await newPlace();
    expect((await place.run('keys', 'list')).code).toBe(0);
    const key = await readFile(place.keyFile, 'utf8');

    await chmod(place.keyFile, 0o644);
    const readable = await place.run('serve');
    await chmod(place.keyFile, 0o600);
    await writeFile(place.keyFile, newKey().toString('base64url'));
    const another = await place.run('serve');
    await rm(place.keyFile);
    const none = await place.run('serve');

    expect([readable.code, another.code, none.code]).toEqual([1, 1, 1]);
    expect(readable.err).toMatch(
      /^keys\/master-0001\.key can be read by other users .* Say: chmod 600 \S+\n$/,
    );
    expect(another.err).toMatch(/^The database is encrypted under the master key [\w-]{8}, but only .*\n$/);
    expect(none.err).toBe('There is no master key in keys/.\n');
    expect([readable.out, another.out, none.out]).toEqual(['', '', '']);
    expect(await readdir(join(place.cwd, 'keys'))).toEqual([]);

    await writeFile(place.keyFile, key, { mode: 0o600 });
    expect((await place.run('keys', 'list')).code).toBe(0);
  });
});

describe('sallyport', () => {
  test('started four times at once on an empty folder makes one master key and one signing key', async () => {
    const place = await newPlace();
    const all = await Promise.all(Array.from({ length: 4 }, () => place.run('keys', 'list', '--json')));
    expect(all.map(({ code, err }) => [code, err])).toEqual(Array.from({ length: 4 }, () => [0, '']));
    expect(new Set(all.map(({ out }) => out)).size).toBe(1);
    expect(JSON.parse(all[0]?.out ?? '')).toHaveLength(1);
    expect(await readdir(join(place.cwd, 'keys'))).toEqual(['master-0001.key']);
  });

  test('exits with 1, and says nothing of where it broke, where its output cannot be written', async () => {
    const { cwd, settings } = await newPlace();
    const out = await open('/dev/null', 'r'); // nothing can be written to it, as to a disk that is full
    onTestFinished(() => out.close());
    const { code, err } = await runProgram(main, ['--version'], { cwd, settings, stdout: out.fd });
    expect([code, err]).toEqual([1, '']);
  });

  test('exits with 0, 1 for what is refused, 2 for how it is used', async () => {
    const place = await newPlace();
    const codes = ['--version', 'users show nobody', 'users shwo nobody'].map(
      async (command) => (await place.run(...command.split(' '))).code,
    );
    expect(await Promise.all(codes)).toEqual([0, 1, 2]);
  });

  test('reads .env in its folder; the environment wins, and what is wrong in either is told', async () => {
    const place = await newPlace();
    await writeFile(
      join(place.cwd, '.env'),
      '\uFEFFSALLYPORT_CODE_SECONDS=30\nSALLYPORT_LOG_LEVEL=debug\nSALLYPORT_PRODUCT_NAME="Our house"\n',
    );
    const shown = await place.run('config');
    expect(shown.out).toMatch(/SALLYPORT_CODE_SECONDS +30 +environment\n/);
    expect(shown.out).toMatch(/SALLYPORT_PRODUCT_NAME +Our house +environment\n/);
    expect(shown.out).toMatch(/SALLYPORT_LOG_LEVEL +warn +environment\n/);
    await writeFile(join(place.cwd, '.env'), 'SALLYPORT_ISUER=x\n');
    expect(await place.run('config')).toMatchObject({
      code: 1,
      err: expect.stringContaining('SALLYPORT_ISUER'),
    });
    await rm(join(place.cwd, '.env'));
    await mkdir(join(place.cwd, '.env'));
    expect(await place.run('config')).toMatchObject({
      code: 1,
      err: expect.stringContaining('.env cannot be read'),
    });
  });

  test('adds a person with a password from standard input, who needs no claim link then', async () => {
    const place = await newPlace();
    const { cwd, settings } = place;
    const args = ['users', 'add', 'root@example.com', '--role', 'admin', '--password-stdin', '--json'];
    const added = await runProgram(main, args, { cwd, settings, input: 'correct horse battery staple\n' });
    expect([added.code, added.err, JSON.parse(added.out).email]).toEqual([0, '', 'root@example.com']);
    const cut = Buffer.from('Zw\u00f6lf B\u00e4ren').subarray(0, 3); // in the middle of a character
    const refused = await runProgram(main, [...args.with(2, 'b@example.com')], { cwd, settings, input: cut });
    expect([refused.code, refused.err]).toEqual([1, 'What is on standard input is no UTF-8.\n']);
    const server = place.start({ PORT: '0' });
    await server.said(/listening on 127\.0\.0\.1:[1-9]\d+ and/); // the one that was taken
    expect((await stop(server)).code).toBe(0);
    expect(server.out).not.toContain('claim');
  });
});
