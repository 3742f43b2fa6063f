/**
 * Distinguished names of certificates, brought to one form so that two of them can be compared: as RFC 4514 writes them, and as
 * node:crypto prints them. Attributes are known by their OID; values are compared to the letter.
 */

/** RFC 4519, RFC 5280 §4.1.2.4, and what banks and governments use; each with the names that RFC 4514 and OpenSSL have for it. */
const attributes: readonly (readonly [oid: string, ...names: string[]])[] = [
  ['2.5.4.3', 'CN'],
  ['2.5.4.4', 'SN', 'surname'],
  ['2.5.4.5', 'serialNumber'],
  ['2.5.4.6', 'C'],
  ['2.5.4.7', 'L'],
  ['2.5.4.8', 'ST', 'S'],
  ['2.5.4.9', 'STREET'],
  ['2.5.4.10', 'O'],
  ['2.5.4.11', 'OU'],
  ['2.5.4.12', 'title'],
  ['2.5.4.13', 'description'],
  ['2.5.4.15', 'businessCategory'],
  ['2.5.4.16', 'postalAddress'],
  ['2.5.4.17', 'postalCode'],
  ['2.5.4.41', 'name'],
  ['2.5.4.42', 'GN', 'givenName'],
  ['2.5.4.43', 'initials'],
  ['2.5.4.46', 'dnQualifier'],
  ['2.5.4.65', 'pseudonym'],
  ['2.5.4.97', 'organizationIdentifier'],
  ['0.9.2342.19200300.100.1.1', 'UID', 'userId'],
  ['0.9.2342.19200300.100.1.25', 'DC', 'domainComponent'],
  ['1.2.840.113549.1.9.1', 'emailAddress', 'E'],
  ['1.3.6.1.4.1.311.60.2.1.1', 'jurisdictionL'],
  ['1.3.6.1.4.1.311.60.2.1.2', 'jurisdictionST'],
  ['1.3.6.1.4.1.311.60.2.1.3', 'jurisdictionC'],
];

const oids: ReadonlyMap<string, string> = new Map(
  attributes.flatMap(([oid, ...names]) => names.map((name) => [name.toLowerCase(), oid] as const)),
);

/** The comparable form of a name as RFC 4514 writes it; undefined if it is none. Spaces around separators do not count. */
export function parseDistinguishedName(text: string): string | undefined {
  return comparable(split(text, ','));
}

/** The comparable form of a certificate's subject, which node:crypto prints one relative name a line, the most general one first. */
export function parsePrintedSubject(subject: string): string | undefined {
  return comparable(split(subject, '\n').reverse());
}

function comparable(relatives: readonly string[]): string | undefined {
  const parsed = relatives.map((relative) => split(relative, '+').map(parseAttribute));
  // What is printed for bytes that are no text is one character for all of them: such names are equal to none.
  const right = parsed.flat().every((attribute) => attribute !== undefined && !attribute.includes('\ufffd'));
  return right ? JSON.stringify(parsed.map((relative) => relative.sort())) : undefined;
}

/** The parts between separators that no backslash precedes. */
function split(text: string, separator: ',' | '+' | '\n'): string[] {
  const parts = [''];
  for (const [piece] of text.matchAll(/\\?./gsu)) {
    if (piece === separator) parts.push('');
    else parts.push((parts.pop() ?? '') + piece);
  }
  return parts;
}

function parseAttribute(text: string): string | undefined {
  const equals = text.indexOf('=');
  const type = text.slice(0, Math.max(equals, 0)).trim();
  const oid = /^\d+(\.\d+)+$/.test(type) ? type : oids.get(type.toLowerCase());
  const value = parseValue(trimUnescaped(text.slice(equals + 1)));
  return oid === undefined || value === undefined ? undefined : `${oid}=${value}`;
}

function trimUnescaped(text: string): string {
  const value = text.replace(/^ +/, '');
  const [, kept = ''] = /^((?:\\.|[^\\])*?) *$/su.exec(value) ?? [];
  return kept;
}

/** RFC 4514 §2.4: text in which some characters are escaped, or the hexadecimal form of its BER encoding. */
function parseValue(text: string): string | undefined {
  if (text.startsWith('#')) return decodeBer(text.slice(1));
  if (!/^(?:\\[ "#+,;<=>\\]|\\[0-9A-Fa-f]{2}|[^\\",;<>+\0])+$/u.test(text)) return undefined;
  const bytes = [...text.matchAll(/\\([0-9A-Fa-f]{2})|\\?(.)/gsu)].map(([, hex, character = '']) =>
    hex === undefined ? Buffer.from(character) : Buffer.from(hex, 'hex'),
  );
  return decodeText(Buffer.concat(bytes), 'utf-8');
}

/** The string types of RFC 5280 §4.1.2.4 by their tags, and their character sets. */
const encodings: Readonly<Record<number, string>> = {
  12: 'utf-8',
  18: 'utf-8',
  19: 'utf-8',
  22: 'utf-8',
  30: 'utf-16be',
};

function decodeBer(hex: string): string | undefined {
  if (!/^([0-9A-Fa-f]{2})+$/.test(hex)) return undefined;
  const [tag = 0, length = 0, ...content] = Buffer.from(hex, 'hex');
  const encoding = encodings[tag];
  return length === content.length && length < 128 && encoding !== undefined
    ? decodeText(Buffer.from(content), encoding)
    : undefined;
}

function decodeText(bytes: Buffer, encoding: string): string | undefined {
  try {
    return new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined; // it is no text of this encoding
  }
}
