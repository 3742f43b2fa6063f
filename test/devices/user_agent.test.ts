import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { boundedUserAgent, deviceNames } from '../../src/devices/user_agent.js';
import { userAgents } from '../support/user_agents.js';

test.each<[keyof typeof userAgents, string, string]>([
  ['chrome_windows', 'Chrome', 'Windows'],
  ['edge_windows', 'Microsoft Edge', 'Windows'],
  ['firefox_linux', 'Firefox', 'Linux'],
  ['safari_mac', 'Safari', 'macOS'],
  ['safari_iphone', 'Safari', 'iOS'],
  ['chrome_android', 'Chrome', 'Android'],
])('%s is shown as %s and %s', (name, browser, system) => {
  expect(deviceNames(userAgents[name])).toEqual({ browser, system });
});

describe('a header that a stranger made up', () => {
  test.each([
    '',
    '<script>alert(1)</script>',
    '<script>alert(1)</script>/1.0 ',
    'Call our help desk at 555-0100/1.0 now',
    '__proto__/1.0 constructor',
    `${'a'.repeat(300)}/${'('.repeat(300)}`,
  ])('%s gives no name of its own (hardening 17)', (header) => {
    const { browser, system } = deviceNames(boundedUserAgent(header));
    expect([browser, system]).toEqual([null, null]);
  });

  test('whatever it is, it is kept short and without control characters, and names are of the closed list', () => {
    const plain = /^[A-Za-z0-9 .+!-]*$/;
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 2000 }), (header) => {
        const kept = boundedUserAgent(header);
        expect(kept.length).toBeLessThanOrEqual(512);
        expect(kept).not.toMatch(/[\p{Cc}\p{Cf}]/u);
        const { browser, system } = deviceNames(kept);
        expect(`${browser ?? ''}${system ?? ''}`).toMatch(plain);
      }),
    );
  });
});
