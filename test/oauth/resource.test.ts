import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseParams } from '../../src/oauth/params.js';
import { canonicalResource, parseResources } from '../../src/oauth/resource.js';
import { anyText } from '../support/arbitraries.js';
import { formBody } from '../support/idp.js';
import { refusalOf } from '../support/refusal.js';

describe('resource (RFC 8707 §2)', () => {
  const known = new Set(['https://api.example/Orders', 'urn:example:api']);
  const resources = (...list: string[]) =>
    parseResources(parseParams(formBody({ resource: list }).toString()), known);

  test('may be repeated, and each counts once (RSI-01)', () => {
    expect(resources('urn:example:api', 'https://api.example/Orders', 'urn:example:api')).toEqual([
      'urn:example:api',
      'https://api.example/Orders',
    ]);
  });

  test('its scheme and host are compared without regard to case, the rest as given (protocol.md RSI-03)', () => {
    expect(resources('HTTPS://API.Example/Orders')).toEqual(['https://api.example/Orders']);
    expect(refusalOf(() => resources('https://api.example/orders'))).toBe('invalid_target');
    expect(refusalOf(() => resources('URN:example:api'))).toBe('invalid_target');
  });

  test('more than 20 of them are refused', () => {
    expect(refusalOf(() => resources(...Array(21).fill('urn:example:api')))).toBe('invalid_request');
  });

  test('its canonical form is canonical', () => {
    fc.assert(
      fc.property(fc.oneof(anyText(), fc.webUrl()), (text) => {
        const canonical = canonicalResource(text);
        expect(canonicalResource(canonical)).toBe(canonical);
        expect(canonical.toLowerCase()).toBe(text.toLowerCase());
      }),
    );
  });
});
