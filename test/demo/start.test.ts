import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createNarrator } from '../../src/demo/narrator.js';
import { DemoError, readPorts } from '../../src/demo/ports.js';
import { startDemo } from '../../src/demo/start.js';

const anyPorts = { server: 0, app_a: 0, app_b: 0, api: 0 };
const narrator = createNarrator({ print: () => undefined, colour: false });

describe('starting and stopping', () => {
  test('a taken port is one sentence that names the setting, and nothing is left behind', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void taken.close());
    const { port } = taken.address() as AddressInfo;
    const folder = ownTemporaryFolder();

    const started = startDemo({ ports: { ...anyPorts, app_b: port }, narrator });
    await expect(started).rejects.toThrow(
      new DemoError(
        `Port ${port} of 127.0.0.1 is taken by another program. DEMO_APP_B_PORT chooses another.`,
      ),
    );
    expect(readdirSync(folder)).toEqual([]);
  });

  test('what it started is gone when it is closed', async () => {
    const folder = ownTemporaryFolder();
    const second = await startDemo({ ports: anyPorts, narrator });
    const [mine = ''] = readdirSync(folder);
    expect(readdirSync(join(folder, mine))).toContain('demo.sqlite');
    await second.close();
    expect(readdirSync(folder)).toEqual([]);
    for (const url of [second.urls.server, second.urls.app_a, second.urls.api])
      await expect(fetch(url)).rejects.toThrow();
  });

  test('ports come from the environment', () => {
    expect(readPorts({})).toEqual({ server: 4000, app_a: 4001, app_b: 4002, api: 4003 });
    expect(readPorts({ DEMO_PORT: '5000', DEMO_API_PORT: '' })).toMatchObject({ server: 5000, api: 4003 });
    for (const text of ['x', '-1', '65536', '1e3', ' 80']) {
      expect(() => readPorts({ DEMO_APP_A_PORT: text })).toThrow(
        `DEMO_APP_A_PORT must be a port, 0 to 65535; it is ${text}.`,
      );
    }
  });
});

/** Where the demo of this test alone puts its folder. */
function ownTemporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-test-'));
  vi.stubEnv('TMPDIR', folder);
  onTestFinished(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}
