/**
 * What a relying application may be registered with: the metadata of RFC 7591 §2, OpenID Connect Registration §2, Back-Channel
 * Logout §2.2, RFC 8705 §2 and Front-Channel Logout §2, some of it in several languages (translations.ts), and members of our own.
 */
import { z } from 'zod';
import { jweAlgs, jweEncs, jwsAlgs, macAlgs } from './algorithms.js';
import { type FaultOptions, metadataFaults } from './client_metadata_faults.js';
import { responsePurposes } from './client_rules.js';
import { OAuthError } from './errors.js';
import { type ProfileName, profiles } from './profiles.js';
import { canonicalResponseType, responseTypeNames } from './response_types.js';
import { parseScope } from './scope.js';
import { splitTranslations, type Translations } from './translations.js';

const grant_types = ['authorization_code', 'implicit', 'refresh_token', 'client_credentials'] as const;
const token_endpoint_auth_methods = [
  'client_secret_basic',
  'client_secret_post',
  'client_secret_jwt',
  'private_key_jwt',
  'tls_client_auth',
  'self_signed_tls_client_auth',
  'none',
] as const;
/** What a client may sign its assertions with: its own key, or its secret. */
export const assertion_algs = [...jwsAlgs, ...macAlgs] as const;

/** OpenID Connect Core §8. */
export const subject_types = ['public', 'pairwise'] as const;

/** Its words may be in any order. */
const response_type = z
  .string()
  .transform((text) => canonicalResponseType(text) ?? text)
  .pipe(z.enum(responseTypeNames));
const uri = z.string().min(1).max(2048);
const jwks = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).max(20) });

const printable = /^[^\p{Cc}\p{Cs}]*$/u;
/** People decide by it: it must be something to see, in the order in which it is written. */
const clientName = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .regex(printable, 'holds a control character')
  .regex(/[\p{L}\p{N}\p{P}\p{S}]/u, 'holds nothing that can be seen')
  .regex(/^[^\u202a-\u202e\u2066-\u2069]*$/, 'holds a character that turns the direction of writing');

/** The members of the standards: whoever registers a client may set them, also a client that registers itself. */
const standard = {
  client_name: clientName,
  client_uri: uri.optional(),
  logo_uri: uri.optional(),
  policy_uri: uri.optional(),
  tos_uri: uri.optional(),
  contacts: z.array(z.string().max(320)).max(20).optional(),
  software_id: z.string().max(255).optional(),
  software_version: z.string().max(255).optional(),
  initiate_login_uri: uri.optional(),
  application_type: z.enum(['web', 'native']).default('web'),
  redirect_uris: z.array(uri).max(50).default([]),
  post_logout_redirect_uris: z.array(uri).max(50).default([]),
  backchannel_logout_uri: uri.optional(),
  backchannel_logout_session_required: z.boolean().default(false),
  frontchannel_logout_uri: uri.optional(),
  frontchannel_logout_session_required: z.boolean().default(false),
  grant_types: z.array(z.enum(grant_types)).min(1).default(['authorization_code']),
  response_types: z.array(response_type).max(20).optional(),
  token_endpoint_auth_method: z.enum(token_endpoint_auth_methods).default('client_secret_basic'),
  token_endpoint_auth_signing_alg: z.enum(assertion_algs).optional(),
  tls_client_auth_subject_dn: z.string().min(1).max(1024).optional(),
  tls_client_auth_san_dns: z.string().min(1).max(253).optional(),
  tls_client_auth_san_uri: uri.optional(),
  tls_client_auth_san_ip: z.string().min(1).max(45).optional(),
  tls_client_auth_san_email: z.string().min(1).max(320).optional(),
  id_token_signed_response_alg: z.enum(jwsAlgs).default('RS256'),
  id_token_encrypted_response_alg: z.enum(jweAlgs).optional(),
  id_token_encrypted_response_enc: z.enum(jweEncs).optional(),
  userinfo_signed_response_alg: z.enum(jwsAlgs).optional(),
  userinfo_encrypted_response_alg: z.enum(jweAlgs).optional(),
  userinfo_encrypted_response_enc: z.enum(jweEncs).optional(),
  introspection_signed_response_alg: z.enum(jwsAlgs).optional(),
  introspection_encrypted_response_alg: z.enum(jweAlgs).optional(),
  introspection_encrypted_response_enc: z.enum(jweEncs).optional(),
  subject_type: z.enum(subject_types).default('public'),
  sector_identifier_uri: uri.optional(),
  jwks: jwks.optional(),
  jwks_uri: uri.optional(),
  scope: z.string().max(2048).default('openid profile email address phone offline_access'),
  default_max_age: z.int().min(0).optional(),
  default_acr_values: z.array(z.string().min(1).max(200)).max(20).optional(),
  require_auth_time: z.boolean().default(false),
  authorization_signed_response_alg: z.enum(jwsAlgs).default('RS256'),
  authorization_encrypted_response_alg: z.enum(jweAlgs).optional(),
  authorization_encrypted_response_enc: z.enum(jweEncs).optional(),
  request_object_signing_alg: z.enum(jwsAlgs).optional(),
  request_object_encryption_alg: z.enum(jweAlgs).optional(),
  request_object_encryption_enc: z.enum(jweEncs).optional(),
  require_signed_request_object: z.boolean().default(false),
  request_uris: z.array(z.string().min(1).max(512)).max(50).default([]),
  require_pushed_authorization_requests: z.boolean().default(false),
};

/** Our own: for the operator, since they give power over people or over the server (hardening 28). */
const own = {
  first_party: z.boolean().default(false),
  id_token_claims: z.enum(['scope', 'minimal']).default('scope'),
  default_resource: uri.optional(),
  allowed_origins: z.array(uri).max(50).default([]),
  refresh_token_rotation: z.boolean().optional(),
  brand_color: z.string().toLowerCase().optional(),
  refresh_grace_seconds: z.int().min(0).max(60).default(10),
};

/** Our own that only ever ask for more safety: for everybody. */
const stricter = {
  require_pkce: z.boolean().default(true),
  security_profile: z.enum(Object.keys(profiles) as ProfileName[]).default('default'),
};

const translated = z
  .record(z.string(), uri.regex(printable, 'holds a control character'))
  .refine((texts) => Object.keys(texts).length <= 100, 'more than 100 translations');

const clientMetadata = z.strictObject({ ...standard, ...own, ...stricter });

export type ClientMetadata = z.infer<typeof clientMetadata> & Translations;

/** What a client that registers itself may set, beside translations. A closed list: whatever is added to `own` is not in it. */
export const settableByClient: ReadonlySet<string> = new Set([
  ...Object.keys(standard),
  ...Object.keys(stricter),
]);

const defaults = clientMetadata.parse({ client_name: 'any' });

/** Metadata as an earlier release may have stored it: members that it did not know have their defaults. */
export function fromStored(stored: object): ClientMetadata {
  return { ...defaults, ...stored };
}

/**
 * Reads client metadata and checks that its members go together. Throws `invalid_request` naming every member that is
 * wrong. `allow_loopback_http` is true where the issuer itself is a loopback http address, `response_types` are those that are on.
 */
export function parseClientMetadata(input: unknown, options: FaultOptions): ClientMetadata {
  if (typeof input === 'object' && input !== null && 'client_secret' in input) {
    throw new OAuthError(
      'invalid_request',
      'client_secret: secrets are generated here, they cannot be brought along',
    );
  }
  const { translations, others } = splitTranslations(input);
  const members = clientMetadata.safeParse(others);
  const texts = translated.safeParse(translations);
  if (!members.success || !texts.success) {
    const issues = [members, texts].flatMap(({ error }) => error?.issues ?? []);
    const faults = issues.map((issue) => `${issue.path.join('.') || 'metadata'}: ${issue.message}`);
    throw new OAuthError('invalid_request', faults.join('; '));
  }
  const metadata: ClientMetadata = { ...(texts.data as Translations), ...completed(members.data) }; // only such members were split off
  const faults = new Set(metadataFaults(metadata, options));
  if (faults.size > 0) throw new OAuthError('invalid_request', [...faults].join('; '));
  return { ...metadata, ...withoutRepeats(metadata) };
}

/**
 * With what follows from an algorithm to encrypt with: how the content is encrypted, and that userinfo and introspection are signed before
 * (OpenID Connect Registration §2), since anybody can encrypt to a public key.
 */
function completed(given: z.infer<typeof clientMetadata>): z.infer<typeof clientMetadata> {
  const members: Record<string, unknown> = { ...given };
  for (const purpose of responsePurposes) {
    if (members[`${purpose}_encrypted_response_alg`] === undefined) continue;
    members[`${purpose}_encrypted_response_enc`] ??= jweEncs[0];
    members[`${purpose}_signed_response_alg`] ??= 'RS256';
  }
  if (members.request_object_encryption_alg !== undefined)
    members.request_object_encryption_enc ??= jweEncs[0];
  return members as typeof given; // the members above are of it
}

function withoutRepeats(metadata: ClientMetadata) {
  const once = <T>(values: readonly T[]) => [...new Set(values)];
  return {
    grant_types: once(metadata.grant_types),
    ...(metadata.response_types !== undefined && { response_types: once(metadata.response_types) }),
    redirect_uris: once(metadata.redirect_uris),
    post_logout_redirect_uris: once(metadata.post_logout_redirect_uris),
    allowed_origins: once(metadata.allowed_origins),
    scope: parseScope(metadata.scope).join(' '),
  };
}
