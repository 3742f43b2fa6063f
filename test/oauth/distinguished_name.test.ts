import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseDistinguishedName, parsePrintedSubject } from '../../src/oauth/distinguished_name.js';

const same = (a: string, b: string) => parseDistinguishedName(a) === parseDistinguishedName(b);

describe('a distinguished name (RFC 4514)', () => {
  test.each([
    ['of RFC 4514 §4', 'UID=jsmith,DC=example,DC=net', 'DC=net\nDC=example\nUID=jsmith'],
    [
      'of several values',
      'OU=Sales+CN=J.  Smith,DC=example,DC=net',
      'DC=net\nDC=example\nCN=J.  Smith + OU=Sales',
    ],
    [
      'with a comma escaped',
      'CN=James \\"Jim\\" Smith\\, III,DC=net',
      'DC=net\nCN=James \\"Jim\\" Smith\\, III',
    ],
    ['with a control character', 'CN=Before\\0dAfter,DC=net', 'DC=net\nCN=Before\\0DAfter'],
    ['of OIDs and hexadecimal text', '1.3.6.1.4.1.1466.0=#0c024869', '1.3.6.1.4.1.1466.0=Hi'],
    ['in UTF-8, escaped', 'CN=Lu\\C4\\8Di\\C4\\87', 'CN=Lučić'],
    ['with spaces at both ends', 'CN=\\ a b\\ ,O=x', 'O=x\nCN=\\ a b\\ '],
    ['with a number sign in front', 'CN=\\#1', 'CN=\\#1'],
    ['by an OID in the place of its name', '2.5.4.3=a', 'CN=a'],
    ['of a bank', 'CN=x,2.5.4.97=#0c03505344,C=DE', 'C=DE\norganizationIdentifier=PSD\nCN=x'],
    ['with spaces around separators', ' CN = a , O=b + OU = c', 'O=b + OU=c\nCN=a'],
    ['in names of any case', 'cn=a,EMAILADDRESS=b@c.example', 'emailAddress=b@c.example\nCN=a'],
  ])('%s is that of the certificate that has it', (_, registered, printed) => {
    expect(parseDistinguishedName(registered)).toBeDefined();
    expect(parsePrintedSubject(printed)).toBe(parseDistinguishedName(registered));
  });

  test.each([
    ['another order', 'CN=a,O=b', 'O=b,CN=a'],
    ['another case of a value', 'CN=a', 'CN=A'],
    ['a further part', 'CN=a,O=b', 'CN=a,O=b,C=DE'],
    ['one name of two values', 'CN=a+O=b', 'CN=a,O=b'],
    ['a separator that is escaped', 'CN=a,O=b', 'CN=a\\,O=b'],
    ['a plus that is escaped', 'CN=a+O=b', 'CN=a\\+O\\=b'],
    ['a space that counts', 'CN=a', 'CN=a\\ '],
    ['another attribute', 'CN=a', 'OU=a'],
    ['a NUL behind it', 'CN=a', 'CN=a\\00'],
  ])('with %s is another', (_, a, b) => {
    expect(parseDistinguishedName(a) !== undefined && parseDistinguishedName(b) !== undefined).toBe(true);
    expect(same(a, b)).toBe(false);
  });

  test.each([
    ['nothing', ''],
    ['a word', 'client'],
    ['no value', 'CN='],
    ['no attribute', '=a'],
    ['an attribute nobody knows', 'FOO=a'],
    ['an empty part', 'CN=a,,O=b'],
    ['a comma at the end', 'CN=a,'],
    ['quotes of RFC 1779', 'O="a, b"'],
    ['a backslash at the end', 'CN=a\\'],
    ['an escape of nothing', 'CN=a\\z'],
    ['hexadecimal text that is none', 'CN=#0c0'],
    ['hexadecimal text of another length', 'CN=#0c0548'],
    ['hexadecimal bytes that are no text', 'CN=#0c01ff'],
    ['a number in hexadecimal', 'CN=#020101'],
    ['bytes that are no UTF-8', 'CN=\\ff'],
    ['what stands for such bytes', 'CN=\ufffd'],
  ])('is not %s', (_, text) => {
    expect(parseDistinguishedName(text)).toBeUndefined();
  });

  test('is read or refused, whatever it is, and what is escaped means itself', () => {
    fc.assert(fc.property(fc.string(), (text) => parseDistinguishedName(text) !== null));
    const value = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => !text.includes('\ufffd'));
    const escaped = (text: string) =>
      [...Buffer.from(text)].map((byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('');
    fc.assert(
      fc.property(value, value, (a, b) => {
        expect(parseDistinguishedName(`CN=${escaped(a)},O=x`)).toBeDefined();
        expect(same(`CN=${escaped(a)}`, `CN=${escaped(b)}`)).toBe(a === b);
      }),
    );
  });
});
