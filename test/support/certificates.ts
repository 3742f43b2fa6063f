/** X.509 certificates for tests, made on the spot (RFC 5280 §4.1): of any name, issuer, time of life and extensions. ECDSA P-256. */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

export interface Made {
  readonly pem: string;
  readonly der: Buffer;
  readonly key: KeyObject;
  /** The private key as PEM. */
  readonly key_pem: string;
  /** The relative names of the subject as they stand in it, the most general one first. */
  readonly subject: Name;
}

/** Each a relative name: attribute (a name below, or an OID) and value; several in one are one of several values. */
type Name = readonly Readonly<Record<string, string>>[];

export interface Wanted {
  readonly subject?: Name;
  readonly issuer?: Pick<Made, 'key' | 'subject'>;
  readonly key_pair?: { readonly publicKey: KeyObject; readonly privateKey: KeyObject };
  /** Seconds since 1970. */
  readonly from?: number;
  readonly to?: number;
  readonly ca?: boolean;
  readonly path_length?: number;
  readonly san?: readonly (readonly [kind: 'email' | 'dns' | 'uri' | 'ip', value: string])[];
  /** In the place of its public key, as DER. */
  readonly spki?: Buffer;
  /** Signed with SHA-1. */
  readonly sha1?: boolean;
  /** OIDs of the extended key usages. */
  readonly usages?: readonly string[];
  /** A name constraints extension with this name. */
  readonly permitted_dns?: string;
}

const tlv = (tag: number, ...parts: readonly Buffer[]): Buffer => {
  const content = Buffer.concat(parts);
  const { length } = content;
  const head = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...head]), content]);
};
const sequence = (...parts: readonly Buffer[]) => tlv(0x30, ...parts);
const text = (tag: number, value: string) => tlv(tag, Buffer.from(value));
const explicit = (number: number, part: Buffer) => tlv(0xa0 + number, part);
const bool = tlv(0x01, Buffer.from([255]));

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = rest.flatMap((arc) => {
    const groups = [arc & 127];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128))
      groups.unshift((left & 127) | 128);
    return groups;
  });
  return tlv(0x06, Buffer.from([first * 40 + second, ...bytes]));
}

const attributes: Readonly<Record<string, string>> = {
  ...{ CN: '2.5.4.3', C: '2.5.4.6', L: '2.5.4.7', ST: '2.5.4.8', O: '2.5.4.10', OU: '2.5.4.11' },
  ...{ serialNumber: '2.5.4.5', DC: '0.9.2342.19200300.100.1.25', UID: '0.9.2342.19200300.100.1.1' },
};

function nameOf(name: Name): Buffer {
  const parts = name.map((relative) =>
    tlv(
      0x31,
      ...Object.entries(relative).map(([type, value]) =>
        sequence(oid(attributes[type] ?? type), text(0x0c, value)),
      ),
    ),
  );
  return sequence(...parts);
}

/** UTCTime until 2049, then GeneralizedTime. RFC 5280 §4.1.2.5. */
function timeOf(seconds: number): Buffer {
  const digits = `${new Date(seconds * 1000).toISOString().replaceAll(/[-:T]|\.\d+Z/g, '')}Z`;
  return digits < '2050' ? text(0x17, digits.slice(2)) : text(0x18, digits);
}

const san_tags = { email: 0x81, dns: 0x82, uri: 0x86, ip: 0x87 };

function extensionsOf({ ca, path_length, san, usages, permitted_dns }: Wanted): Buffer[] {
  const extension = (id: string, value: Buffer, critical = false) =>
    sequence(oid(id), ...(critical ? [bool] : []), tlv(0x04, value));
  const found: Buffer[] = [];
  if (ca === true) {
    const limit = path_length === undefined ? [] : [tlv(0x02, Buffer.from([path_length]))];
    found.push(extension('2.5.29.19', sequence(bool, ...limit), true));
  }
  if (san !== undefined) {
    const names = san.map(([kind, value]) =>
      kind === 'ip' ? tlv(san_tags.ip, ipBytes(value)) : text(san_tags[kind], value),
    );
    found.push(extension('2.5.29.17', sequence(...names)));
  }
  if (usages !== undefined) found.push(extension('2.5.29.37', sequence(...usages.map(oid))));
  if (permitted_dns !== undefined)
    found.push(extension('2.5.29.30', sequence(tlv(0xa0, sequence(text(0x82, permitted_dns)))), true));
  return found;
}

/** Only what a test writes: IPv4, or IPv6 in full. */
function ipBytes(address: string): Buffer {
  if (!address.includes(':')) return Buffer.from(address.split('.').map(Number));
  return Buffer.from(
    address
      .split(':')
      .map((group) => group.padStart(4, '0'))
      .join(''),
    'hex',
  );
}

/** A public key of a kind that nobody knows. */
export const unknown_key = sequence(sequence(oid('1.2.3.4')), tlv(0x03, Buffer.from([0, 1, 2, 3])));

/** A certificate that signs itself, unless it has an issuer. Good from 2020 to 2099, unless it says otherwise. */
export function newCertificate(wanted: Wanted = {}): Made {
  const pair = wanted.key_pair ?? generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { subject = [{ CN: 'client' }], from = 1_577_836_800, to = 4_070_908_800 } = wanted;
  const issuer = wanted.issuer ?? { key: pair.privateKey, subject };
  const algorithm = sequence(oid(wanted.sha1 === true ? '1.2.840.10045.4.1' : '1.2.840.10045.4.3.2'));
  const extensions = extensionsOf(wanted);
  const body = sequence(
    explicit(0, tlv(0x02, Buffer.from([2]))),
    tlv(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    nameOf(issuer.subject),
    sequence(timeOf(from), timeOf(to)),
    nameOf(subject),
    wanted.spki ?? pair.publicKey.export({ type: 'spki', format: 'der' }),
    ...(extensions.length === 0 ? [] : [explicit(3, sequence(...extensions))]),
  );
  const signature = sign(wanted.sha1 === true ? 'sha1' : 'sha256', body, issuer.key);
  const der = sequence(body, algorithm, tlv(0x03, Buffer.from([0]), signature));
  return {
    der,
    pem: pemOf(der),
    key: pair.privateKey,
    key_pem: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    subject,
  };
}

function pemOf(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

/** An authority of this name; another one of the same name is made by calling it again. */
export const newAuthority = (wanted: Wanted = {}): Made =>
  newCertificate({ subject: [{ O: 'Example' }, { CN: 'Example CA' }], ca: true, ...wanted });
