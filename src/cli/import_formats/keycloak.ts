/**
 * Keycloak: a user of a realm's export (`kc.sh export`, `users` of the realm). Its roles are not taken over, since they mean something in
 * that realm; its service accounts are passed over.
 */
import { z } from 'zod';
import { parse } from '../../actions/users.js';
import { argon2, decode, digestOf, pbkdf2, unusable } from '../../factors/imported_hash.js';
import { addressOf, fullName, type ImportFormat, optionalText, present, readLine } from './format.js';

const line = z.object({
  id: z.string(),
  username: optionalText,
  email: optionalText,
  emailVerified: z.boolean().nullish(),
  enabled: z.boolean().nullish(),
  firstName: optionalText,
  lastName: optionalText,
  createdTimestamp: z.number().nullish(),
  serviceAccountClientId: z.string().nullish(),
  attributes: z.record(z.string(), z.union([z.string(), z.array(z.string())])).nullish(),
  credentials: z
    .array(
      z.object({
        type: z.string(),
        secretData: z.string().optional(),
        credentialData: z.string().optional(),
      }),
    )
    .nullish(),
});

/** Attributes that Keycloak's own mappers read for claims of that name. */
const attributes = {
  middle_name: 'middleName',
  nickname: 'nickname',
  profile: 'profile',
  picture: 'picture',
  website: 'website',
  gender: 'gender',
  birthdate: 'birthdate',
  zoneinfo: 'zoneinfo',
  locale: 'locale',
  phone_number: 'phoneNumber',
} as const;

export const keycloak: ImportFormat = {
  name: 'keycloak',
  read(value) {
    const user = readLine(line, value);
    if (user.serviceAccountClientId != null) return null;
    const claims = {
      name: fullName(user.firstName, user.lastName),
      given_name: user.firstName,
      family_name: user.lastName,
      preferred_username: user.username,
      ...Object.fromEntries(
        Object.entries(attributes).map(([claim, name]) => [claim, [user.attributes?.[name] ?? []].flat()[0]]),
      ),
    };
    const password = user.credentials?.find(({ type }) => type === 'password');
    return {
      id: user.id,
      email: addressOf(user.email, user.username),
      email_verified: user.email !== undefined && user.emailVerified === true,
      roles: [],
      claims: present(claims),
      disabled: user.enabled === false,
      created_at: user.createdTimestamp == null ? null : Math.floor(user.createdTimestamp / 1000),
      secret:
        password === undefined ? null : hashOf(json(password.credentialData), json(password.secretData)),
    };
  },
};

const credentialData = z.object({
  algorithm: z.string(),
  hashIterations: z.number(),
  additionalParameters: z.record(z.string(), z.array(z.string())).nullish(),
});
const secretData = z.object({ value: z.string(), salt: z.string() });

/** PasswordCredentialModel: what is not secret of a hash, and what is, each as JSON in a text. */
function hashOf(credential: unknown, secret: unknown): string {
  const { algorithm, hashIterations, additionalParameters } = parse(
    credentialData,
    credential,
    'credentialData',
  );
  const { value, salt } = parse(secretData, secret, 'secretData');
  const bytes = { salt: decode(salt, 'base64'), hash: decode(value, 'base64') };
  const [family, digest] = algorithm.split('-');
  if (family === 'pbkdf2')
    return pbkdf2({ digest: digestOf(digest ?? 'sha1'), iterations: hashIterations, ...bytes });
  if (family !== 'argon2') throw unusable(`Keycloak’s ${algorithm.slice(0, 30)} is not known`);
  const [type = 'id', memory, parallelism, version = '1.3'] = [
    'type',
    'memory',
    'parallelism',
    'version',
  ].map((name) => additionalParameters?.[name]?.[0]);
  const plain = (each: Buffer) => each.toString('base64').replaceAll('=', '');
  const v = version === '1.0' ? 16 : 19;
  const costs = `m=${memory},t=${hashIterations},p=${parallelism}`;
  return argon2(`$argon2${type}$v=${v}$${costs}$${plain(bytes.salt)}$${plain(bytes.hash)}`);
}

function json(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    throw unusable('credentialData or secretData is not JSON');
  }
}
