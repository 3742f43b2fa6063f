/** tls_client_auth: a certificate of a trusted authority with the subject, or the alternative name, that is registered. RFC 8705 §2.1. */
import type { X509Certificate } from 'node:crypto';
import ipaddr from 'ipaddr.js';
import { type SubjectMember, subjectMembers } from '../oauth/certificate_metadata.js';
import { parseDistinguishedName, parsePrintedSubject } from '../oauth/distinguished_name.js';
import { altNamesOf, refuseCertificate, requireCertificate } from './certificate.js';
import { leadsToAuthority } from './certificate_chain.js';
import { type ClientAuthentication, onlyNamed } from './method.js';

export const tlsClientAuth: ClientAuthentication = {
  method: 'tls_client_auth',
  by_connection: true,

  isAvailable: ({ client_ca, sees_client_certificates }) => sees_client_certificates && client_ca.length > 0,

  presented: onlyNamed,

  async verify({ certificate, config, now }, client) {
    const { leaf, intermediates } = requireCertificate(certificate);
    if (!leadsToAuthority(leaf, intermediates, config.client_ca, now))
      refuseCertificate(
        'the certificate does not lead to an authority of SALLYPORT_CLIENT_CA, or is not valid now',
      );
    const named = subjectMembers.filter((member) => client[member] !== undefined);
    const [only] = named;
    if (named.length !== 1 || only === undefined || !matches[only](leaf, client[only] ?? ''))
      refuseCertificate(`the certificate is of another subject than the registered ${named.join(' ')}`);
    return true;
  },
};

type Matches = (leaf: X509Certificate, registered: string) => boolean;

const altName =
  (wanted: string, same: (value: string, registered: string) => boolean): Matches =>
  (leaf, registered) =>
    altNamesOf(leaf).some(({ kind, value }) => kind === wanted && same(value, registered));

const exactly = (value: string, registered: string) => value === registered;

/** How each member is compared: host names without regard to case, addresses as addresses, all else to the letter. No wildcards. */
const matches: Readonly<Record<SubjectMember, Matches>> = {
  tls_client_auth_subject_dn: (leaf, registered) => {
    const subject = parsePrintedSubject(leaf.subject ?? ''); // a certificate may have none
    return subject !== undefined && subject === parseDistinguishedName(registered);
  },
  tls_client_auth_san_dns: altName(
    'DNS',
    (value, registered) => value.toLowerCase() === registered.toLowerCase(),
  ),
  tls_client_auth_san_uri: altName('URI', exactly),
  tls_client_auth_san_ip: altName(
    'IP Address',
    (value, registered) =>
      ipaddr.isValid(value) && ipaddr.parse(value).toString() === ipaddr.parse(registered).toString(),
  ),
  tls_client_auth_san_email: altName('email', exactly),
};
