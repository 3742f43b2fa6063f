/** People: adding, disabling, removing them, setting a password. One function is one decision, one transaction, one event. */
import { z } from 'zod';
import type { Config } from '../config.js';
import type { Deps } from '../deps.js';
import { UserError } from '../oauth/errors.js';
import { newId } from '../secrets.js';
import * as credentials from '../store/credentials.js';
import type { Trx } from '../store/db.js';
import * as events from '../store/events.js';
import * as setup from '../store/setup.js';
import * as users from '../store/users.js';
import { holdAddresses } from './addresses.js';
import { endSessionsOf } from './end_sessions.js';
import { newHash, replacePassword } from './new_password.js';

export type UserDeps = Pick<
  Deps,
  'bell' | 'caches' | 'config' | 'db' | 'hashing' | 'judge' | 'keys' | 'log' | 'outbound'
>;

const text = z
  .string()
  .trim()
  .min(1)
  .max(500)
  .regex(/^\P{Cc}*$/u, 'holds a control character');
const webUrl = z.url({ protocol: /^https?$/ }).max(2048);

/** The standard claims that an operator may set. OpenID Connect Core §5.1. */
const userClaims = z.strictObject({
  name: text.optional(),
  family_name: text.optional(),
  given_name: text.optional(),
  middle_name: text.optional(),
  nickname: text.optional(),
  preferred_username: text.optional(),
  profile: webUrl.optional(),
  picture: webUrl.optional(),
  website: webUrl.optional(),
  gender: text.optional(),
  birthdate: z
    .string()
    .regex(/^(\d{4}-\d{2}-\d{2}|\d{4})$/, 'must be YYYY-MM-DD, 0000-MM-DD or YYYY')
    .optional(),
  zoneinfo: text.optional(),
  locale: text.optional(),
  phone_number: text.optional(),
  phone_number_verified: z.boolean().optional(),
  address: z
    .strictObject({
      formatted: z.string().min(1).max(1000).optional(),
      street_address: z.string().min(1).max(500).optional(),
      locality: text.optional(),
      region: text.optional(),
      postal_code: text.optional(),
      country: text.optional(),
    })
    .optional(),
});

/** The rule of each claim. */
export const claimRules = userClaims.shape;

const email = z
  .string()
  .max(320)
  .regex(/^[^\s@\p{Cc}]+@[^\s@\p{Cc}]+$/u, 'is not an email address');
const role = z
  .string()
  .max(100)
  .regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'must be one word');

export interface NewUser {
  readonly email: string;
  readonly email_verified: boolean;
  readonly roles: readonly string[];
  /** Standard claims as JSON gives them. */
  readonly claims: unknown;
  readonly password: string | null;
}

/** Adds a user; one with the role admin also claims the server. Throws UserError `invalid_input` or `conflict`. */
export async function addUser(deps: UserDeps, input: NewUser, now: number): Promise<users.UserRow> {
  const row = newUserRow(input, now);
  const secret = input.password === null ? null : await newHash(deps, input.password, row);
  await deps.db.transaction((trx) => insertUser(trx, deps, row, secret));
  return row;
}

/** A user's row from what an operator typed. Throws UserError `invalid_input` naming what is wrong. */
export function newUserRow(input: NewUser, now: number): users.UserRow {
  const claims = parse(userClaims, input.claims, 'claims');
  const address = parse(email, input.email.trim().normalize('NFC'), 'email');
  const roles = [...new Set(input.roles.map((word) => parse(role, word, 'role')))];
  return {
    id: newId(),
    email: address,
    email_canonical: users.canonicalEmail(address),
    email_verified: input.email_verified ? 1 : 0,
    name: claims.name ?? null,
    family_name: claims.family_name ?? null,
    given_name: claims.given_name ?? null,
    middle_name: claims.middle_name ?? null,
    nickname: claims.nickname ?? null,
    preferred_username: claims.preferred_username ?? null,
    profile: claims.profile ?? null,
    picture: claims.picture ?? null,
    website: claims.website ?? null,
    gender: claims.gender ?? null,
    birthdate: claims.birthdate ?? null,
    zoneinfo: claims.zoneinfo ?? null,
    locale: claims.locale ?? null,
    phone_number: claims.phone_number ?? null,
    phone_number_verified:
      claims.phone_number_verified === undefined ? null : Number(claims.phone_number_verified),
    address: claims.address === undefined ? null : JSON.stringify(claims.address),
    roles: roles.join(' '),
    created_at: now,
    updated_at: now,
    disabled_at: null,
    deletes_at: null,
    factor_due_at: null,
  };
}

/** The value as the schema gives it. Throws UserError `invalid_input` naming the member of `field` that is wrong. */
export function parse<T>(schema: z.ZodType<T>, value: unknown, field: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) =>
    [field, ...issue.path].join('.').concat(`: ${issue.message}`),
  );
  const [member] = parsed.error.issues[0]?.path ?? [];
  throw new UserError(
    'invalid_input',
    { key: 'admin.faults', values: { faults: faults.join('; ') } },
    String(member ?? field),
  );
}

/** The statements of adding a user, for a transaction that does more than that. */
export async function insertUser(
  trx: Trx,
  { config }: Pick<UserDeps, 'config'>,
  row: users.UserRow,
  secret: string | null,
): Promise<void> {
  const now = row.created_at;
  await holdAddresses(trx, now);
  if (!(await users.insert(trx, row)))
    throw new UserError('conflict', { key: 'admin.user_exists', values: { email: row.email } }, 'email');
  if (secret !== null) {
    await credentials.insert(trx, {
      id: newId(),
      user_id: row.id,
      type: 'password',
      secret,
      created_at: now,
      updated_at: now,
    });
  }
  if (users.isAdministrator(row)) await setup.claimByOperator(trx, now);
  await events.record(trx, { type: 'user_added', user_id: row.id }, now, config.EVENTS_SECONDS);
}

/** A user by id or email address. Throws UserError `not_found`. */
export async function loadUser(deps: Pick<Deps, 'db'>, id_or_email: string): Promise<users.UserRow> {
  const canonical = users.canonicalEmail(id_or_email);
  const found = (await users.findByEmail(deps.db, canonical)) ?? (await users.find(deps.db, id_or_email));
  if (found === undefined) throw noSuchUser(id_or_email);
  return found;
}

function noSuchUser(id_or_email: string): UserError {
  return new UserError('not_found', { key: 'admin.no_user', values: { id: id_or_email } });
}

/** Sets a password, as the operator. All sessions, codes and refresh tokens of the user end, and the user is told. Throws UserError `invalid_input` or `not_found`. */
export async function setPassword(
  deps: UserDeps,
  user_id: string,
  password: string,
  now: number,
): Promise<void> {
  const owner = await users.find(deps.db, user_id);
  if (owner === undefined) throw noSuchUser(user_id);
  const secret = await newHash(deps, password, owner);
  const post = { config: deps.config, ring: await deps.keys.get() };
  await deps.db.transaction(async (trx) => {
    await replacePassword(trx, { owner, secret, visit: null, post }, now);
    await endSessionsOf(trx, user_id, now);
  });
  deps.bell.ring();
}

/** Disables a user: they are signed out everywhere at once. */
export async function disableUser(
  deps: Pick<Deps, 'bell' | 'config' | 'db'>,
  user_id: string,
  now: number,
): Promise<void> {
  await deps.db.transaction(async (trx) => {
    await users.disable(trx, user_id, now, now);
    await endSessionsOf(trx, user_id, now);
    await events.record(trx, { type: 'user_disabled', user_id }, now, deps.config.EVENTS_SECONDS);
  });
  deps.bell.ring();
}

export async function enableUser(
  deps: Pick<Deps, 'config' | 'db'>,
  user_id: string,
  now: number,
): Promise<void> {
  await deps.db.transaction(async (trx) => {
    await users.disable(trx, user_id, null, now);
    await events.record(trx, { type: 'user_enabled', user_id }, now, deps.config.EVENTS_SECONDS);
  });
}

/** Removes a user with all that is theirs; the applications are told. The events stay. */
export async function removeUser(
  deps: Pick<Deps, 'bell' | 'config' | 'db'>,
  user_id: string,
  now: number,
): Promise<void> {
  await deps.db.transaction((trx) => removeHeld(trx, deps.config, user_id, now));
  deps.bell.ring();
}

/** The statements of removing a user. Who calls it rings deps.bell afterwards. */
export async function removeHeld(
  trx: Trx,
  config: Pick<Config, 'EVENTS_SECONDS'>,
  user_id: string,
  now: number,
): Promise<void> {
  await users.disable(trx, user_id, now, now); // first: whoever signs in at this moment waits, and then does not
  await endSessionsOf(trx, user_id, now);
  await users.remove(trx, user_id);
  await events.record(trx, { type: 'user_removed', user_id }, now, config.EVENTS_SECONDS);
}
