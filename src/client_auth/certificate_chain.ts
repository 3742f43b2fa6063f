/**
 * Whether certificates lead from a client's to an authority that the operator trusts: RFC 5280 §6, as far as it is needed. What is not
 * understood is refused. OpenSSL is not asked: it reads a clock of its own, and does not see what a proxy passes on.
 */
import type { X509Certificate } from 'node:crypto';
import { hasStrongKey, isValidAt } from './certificate.js';

/** Certificates between the client's and the authority. */
const longest_chain = 4;
/** How many are looked at: some clients send all they have. */
const most_intermediates = 8;

const client_auth = '1.3.6.1.5.5.7.3.2';

export function leadsToAuthority(
  leaf: X509Certificate,
  intermediates: readonly X509Certificate[],
  authorities: readonly X509Certificate[],
  now: number,
): boolean {
  try {
    return intermediates.length <= most_intermediates && isUsable(leaf, now) && climb(leaf, intermediates, 0);
  } catch {
    return false; // there is a key or a structure among them that node:crypto cannot read
  }

  /** `below` certificates of authorities have been passed. */
  function climb(certificate: X509Certificate, left: readonly X509Certificate[], below: number): boolean {
    if (authorities.some((root) => isValidAt(root, now) && issued(root, certificate, below))) return true;
    if (below === longest_chain) return false;
    return left.some(
      (next) =>
        isUsable(next, now) &&
        issued(next, certificate, below) &&
        climb(
          next,
          left.filter((other) => other !== next),
          below + 1,
        ),
    );
  }
}

/** Whether an authority made a certificate, and may have: below it are `below` other authorities already. */
function issued(authority: X509Certificate, certificate: X509Certificate, below: number): boolean {
  const { path_length } = extensionsOf(authority);
  return (
    authority.ca &&
    (path_length === undefined || below <= path_length) &&
    certificate.checkIssued(authority) && // names, key identifiers, key usage
    certificate.verify(authority.publicKey)
  );
}

function isUsable(certificate: X509Certificate, now: number): boolean {
  const usages: readonly string[] | undefined = certificate.keyUsage; // node:crypto's name for extended key usage
  return (
    isValidAt(certificate, now) &&
    hasStrongKey(certificate) &&
    usages?.includes(client_auth) !== false &&
    extensionsOf(certificate).understood
  );
}

interface Extensions {
  /** How many authorities may be between it and a client. RFC 5280 §4.2.1.9. */
  readonly path_length: number | undefined;
  /** Whether there is none that would have to be understood, and whether it was signed by a hash that holds. RFC 5280 §4.2. */
  readonly understood: boolean;
}

/** Extensions by the last byte of 2.5.29.x. Name constraints (30) are never understood, also where they are not critical. */
const basic_constraints = 19;
const name_constraints = 30;
const known = new Set([15, 17, basic_constraints, 32, 37]);

/** MD5 and SHA-1 with RSA, SHA-1 with ECDSA. */
const broken_signatures = new Set(['2a864886f70d010104', '2a864886f70d010105', '2a8648ce3d0401']);

function extensionsOf({ raw }: X509Certificate): Extensions {
  const [body, algorithm] = members(members(raw)[0]?.content);
  const [signature] = members(algorithm?.content);
  const list = members(body?.content).find(({ tag }) => tag === 0xa3);
  let path_length: number | undefined;
  let understood = !broken_signatures.has(signature?.content.toString('hex') ?? '');
  for (const { content } of members(members(list?.content)[0]?.content)) {
    const [id, ...rest] = members(content);
    const critical = rest.some(({ tag, content }) => tag === 0x01 && content[0] !== 0);
    const number = id?.content.toString('hex').startsWith('551d') === true ? id.content[2] : undefined;
    if (number === name_constraints || (critical && (number === undefined || !known.has(number))))
      understood = false;
    if (number === basic_constraints) {
      const limit = members(members(rest.at(-1)?.content)[0]?.content).find(({ tag }) => tag === 0x02);
      if (limit !== undefined) path_length = limit.content.readUIntBE(0, Math.min(limit.content.length, 6));
    }
  }
  return { path_length, understood };
}

interface Der {
  readonly tag: number;
  readonly content: Buffer;
}

/** The members of a DER structure, which OpenSSL has read before. X.690 §8.1. */
function members(structure: Buffer | undefined): readonly Der[] {
  const found: Der[] = [];
  let rest = structure ?? Buffer.alloc(0);
  while (rest.length >= 2) {
    const [tag = 0, first = 0] = rest;
    const octets = first < 128 ? 0 : first & 127;
    const length = octets === 0 ? first : rest.readUIntBE(2, octets);
    found.push({ tag, content: rest.subarray(2 + octets, 2 + octets + length) });
    rest = rest.subarray(2 + octets + length);
  }
  return found;
}
