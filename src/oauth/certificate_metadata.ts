/** What client metadata says of certificates: by what name a client of tls_client_auth is known. RFC 8705 §2.1.2. */
import ipaddr from 'ipaddr.js';
import type { ClientMetadata } from './client_metadata.js';
import { parseDistinguishedName } from './distinguished_name.js';

/** A client of tls_client_auth has exactly one of them, and any other has none. */
export const subjectMembers = [
  'tls_client_auth_subject_dn',
  'tls_client_auth_san_dns',
  'tls_client_auth_san_uri',
  'tls_client_auth_san_ip',
  'tls_client_auth_san_email',
] as const;

export type SubjectMember = (typeof subjectMembers)[number];

/** Every fault, as a sentence that begins with its member. */
export function* certificateFaults(metadata: ClientMetadata): Generator<string> {
  const tls_client_auth = metadata.token_endpoint_auth_method === 'tls_client_auth';
  const named = subjectMembers.filter((member) => metadata[member] !== undefined);
  if (tls_client_auth && named.length !== 1)
    yield `token_endpoint_auth_method: tls_client_auth needs exactly one of ${subjectMembers.join(', ')}`;
  for (const member of named) {
    if (!tls_client_auth) yield `${member}: belongs to tls_client_auth`;
    if (!isName[member](metadata[member] ?? '')) yield `${member}: is not such a name`;
  }
}

const isName: Readonly<Record<SubjectMember, (text: string) => boolean>> = {
  tls_client_auth_subject_dn: (text) => parseDistinguishedName(text) !== undefined,
  tls_client_auth_san_dns: (text) => /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/.test(text),
  tls_client_auth_san_uri: (text) => /^[\x21-\x7e]+$/.test(text) && URL.canParse(text),
  tls_client_auth_san_ip: (text) => ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text),
  tls_client_auth_san_email: (text) => /^[\x21-\x7e]+@[A-Za-z0-9.-]+$/.test(text),
};
