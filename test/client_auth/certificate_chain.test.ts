import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { leadsToAuthority } from '../../src/client_auth/certificate_chain.js';
import {
  type Made,
  newAuthority,
  newCertificate,
  unknown_key,
  type Wanted,
} from '../support/certificates.js';

const now = 1_800_000_000;
const root = newAuthority();
const x509 = ({ der }: Made) => new X509Certificate(der);

const leads = (leaf: Made, between: readonly Made[] = [], roots: readonly Made[] = [root], at = now) =>
  leadsToAuthority(x509(leaf), between.map(x509), roots.map(x509), at);

/** Authorities below the root, each made by the one before; the last one makes the client's. */
function chain(...wanted: readonly Wanted[]) {
  const between: Made[] = [];
  for (const [i, one] of wanted.entries())
    between.push(newAuthority({ subject: [{ CN: `Middle ${i}` }], issuer: between.at(-1) ?? root, ...one }));
  return { leaf: newCertificate({ issuer: between.at(-1) ?? root }), between };
}

describe('certificates lead to an authority (RFC 5280 §6)', () => {
  test.each([0, 1, 2, 4])('over %i others, in any order', (count) => {
    const { leaf, between } = chain(...Array.from({ length: count }, () => ({})));
    expect(leads(leaf, between)).toBe(true);
    expect(leads(leaf, [...between.toReversed(), newAuthority()])).toBe(true);
  });

  test('whichever of several it is', () => {
    const { leaf, between } = chain({});
    expect(leads(leaf, between, [newAuthority(), root, newAuthority()])).toBe(true);
  });

  test('to one in between that is trusted by itself', () => {
    const { leaf, between } = chain({});
    expect(leads(leaf, [], between)).toBe(true);
  });

  test('by two ways, of which one is over', () => {
    const key_pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pair = { subject: [{ CN: 'Middle' }], issuer: root, key_pair };
    const [over, fine] = [newAuthority({ ...pair, to: now - 1 }), newAuthority(pair)];
    const leaf = newCertificate({ issuer: fine });
    expect([leads(leaf, [over, fine]), leads(leaf, [over])]).toEqual([true, false]);
  });
});

describe('certificates do not lead to an authority', () => {
  test.each<[string, readonly Wanted[]]>([
    ['that is over', [{ to: now - 1 }]],
    ['that has not begun', [{ from: now + 1 }]],
    ['that is none', [{ ca: false }]],
    ['that may have none below it', [{ path_length: 0 }, {}]],
    ['that is for servers alone', [{ usages: ['1.3.6.1.5.5.7.3.1'] }]],
    ['whose names are constrained, which is not understood here', [{ permitted_dns: 'example.com' }]],
    ['that was signed with SHA-1', [{ sha1: true }]],
    ['with a key of a kind that nobody knows', [{ spki: unknown_key }]],
    ['that stands too far away', [{}, {}, {}, {}, {}]],
  ])('over one %s', (_, wanted) => {
    const { leaf, between } = chain(...wanted);
    expect(leads(leaf, between)).toBe(false);
  });

  test('over one that may have one below it, where there are two', () => {
    const fits = chain({ path_length: 1 }, {});
    const long = chain({ path_length: 1 }, {}, {});
    expect([leads(fits.leaf, fits.between), leads(long.leaf, long.between)]).toEqual([true, false]);
  });

  test('where one in between is missing', () => {
    const { leaf, between } = chain({}, {});
    expect(between.map((one) => leads(leaf, [one]))).toEqual([false, false]);
  });

  test('where the authority itself is over, or has not begun', () => {
    const old = newAuthority({ from: now - 10, to: now });
    const leaf = newCertificate({ issuer: old });
    expect([now - 11, now - 10, now, now + 1].map((at) => leads(leaf, [], [old], at))).toEqual([
      ...[false, true, true, false],
    ]);
  });

  test('where another one has the name of the authority, or of one in between', () => {
    const { leaf, between } = chain({});
    expect(leads(leaf, between, [newAuthority()])).toBe(false);
    expect(leads(leaf, [newAuthority({ subject: [{ CN: 'Middle 0' }], issuer: root })])).toBe(false);
  });

  test('where a client’s certificate signed the other', () => {
    const client = newCertificate({ issuer: root, subject: [{ CN: 'a client' }] });
    expect(leads(newCertificate({ issuer: client }), [client])).toBe(false);
  });

  test('where none is trusted, though they sign themselves and each other', () => {
    const self = newAuthority();
    expect(leads(self, [self], [])).toBe(false);
    expect(leads(newCertificate({ issuer: self }), [self])).toBe(false);
  });

  test('in time, where they are many', () => {
    const { leaf, between } = chain({});
    const many = Array.from({ length: 8 }, () => newAuthority({ subject: [{ CN: 'Middle 0' }] }));
    expect(leads(leaf, [...many, ...between])).toBe(false);
  });

  test('where the client’s was signed with SHA-1', () => {
    expect(leads(newCertificate({ issuer: root, sha1: true }))).toBe(false);
  });

  test('where a key is short', () => {
    const key_pair = generateKeyPairSync('rsa', { modulusLength: 1024 });
    expect(leads(newCertificate({ issuer: root, key_pair }))).toBe(false);
    const enough = generateKeyPairSync('rsa', { modulusLength: 2048 });
    expect(leads(newCertificate({ issuer: root, key_pair: enough }))).toBe(true);
  });
});
