import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { sessionState } from '../../src/oauth/session_state.js';

const of = { client_id: 'shop', redirect_uri: 'https://shop.example/cb?x=1', browser_state: 'state' };
const salt = 'salt';

describe('session_state', () => {
  test('is a hash over client, origin, browser state and salt, and the salt (SMG-01)', () => {
    const hash = createHash('sha256').update('shop https://shop.example state salt').digest('base64url');
    expect(sessionState(of, salt)).toBe(`${hash}.salt`);
  });

  test.each([
    ['client', { client_id: 'blog' }],
    ['scheme', { redirect_uri: 'http://shop.example/cb' }],
    ['host', { redirect_uri: 'https://shop.example.attacker.example/cb' }],
    ['port', { redirect_uri: 'https://shop.example:8443/cb' }],
    ['browser state', { browser_state: 'another' }],
  ])('is another where the %s is', (_, change) => {
    expect(sessionState({ ...of, ...change }, salt)).not.toBe(sessionState(of, salt));
  });

  test.each([
    ['another page', 'https://shop.example/silent'],
    ['the default port', 'https://shop.example:443/cb'],
    ['capitals in the host', 'https://Shop.Example/cb'],
  ])('is that of the origin as browsers write it: %s makes no difference', (_, redirect_uri) => {
    expect(sessionState({ ...of, redirect_uri }, salt)).toBe(sessionState(of, salt));
  });

  test('there is none for a redirect URI without an origin: no page there can frame ours', () => {
    expect(sessionState({ ...of, redirect_uri: 'com.example.app:/cb' }, salt)).toBeUndefined();
  });
});
