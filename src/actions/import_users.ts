/**
 * People from another system: many in one transaction, none twice. Whoever is there already stays as they are, so that an import can be
 * run again; an old hash never takes the place of a newer password.
 */
import { z } from 'zod';
import type { Deps } from '../deps.js';
import { UserError, type UserErrorCode } from '../oauth/errors.js';
import { newId } from '../secrets.js';
import * as credentials from '../store/credentials.js';
import * as events from '../store/events.js';
import * as setup from '../store/setup.js';
import * as users from '../store/users.js';
import { holdAddresses } from './addresses.js';
import { type NewUser, newUserRow, parse } from './users.js';

export interface ImportInput extends Omit<NewUser, 'password'> {
  /** The `sub` that applications know the person by; null for a new one. */
  readonly id: string | null;
  readonly disabled: boolean;
  /** Seconds since 1970; null for now. */
  readonly created_at: number | null;
  /** A hash in the form that factors/imported_hash.ts gives. */
  readonly secret: string | null;
}

export interface ImportedUser {
  readonly row: users.UserRow;
  readonly secret: string | null;
  readonly has_own_id: boolean;
}

/** `there`: the person was imported before, or has an account already. An error: somebody else has the address. */
export type ImportOutcome = 'added' | 'there' | UserError;

/** A `sub`: at most 255 ASCII characters (OpenID Connect Core §2), none of them a space. */
const id = z.string().regex(/^[\x21-\x7e]{1,255}$/, 'must be 1 to 255 visible ASCII characters');

/** Throws UserError `invalid_input` naming what is wrong. */
export function importedUser(input: ImportInput, now: number): ImportedUser {
  const { secret, disabled } = input;
  const row = {
    ...newUserRow({ ...input, password: null }, now),
    ...(input.id !== null && { id: parse(id, input.id, 'id') }),
    ...(input.created_at !== null && {
      created_at: parse(z.int().min(0).max(now), input.created_at, 'created_at'),
    }),
    disabled_at: disabled ? now : null,
  };
  for (const [name, value] of Object.entries(row))
    if (typeof value === 'string' && /[\0\p{Surrogate}]/u.test(value))
      throw fault('invalid_input', `${name}: holds what is no character`, name);
  return { row, secret, has_own_id: input.id !== null };
}

/** Adds those of the users who are not there yet, in one transaction. One outcome for each, in their order. */
export async function importUsers(
  { config, db }: Pick<Deps, 'config' | 'db'>,
  batch: readonly ImportedUser[],
  now: number,
): Promise<readonly ImportOutcome[]> {
  const rows = batch.map(({ row }) => row);
  return db.transaction(async (trx) => {
    await holdAddresses(trx, now);
    const added = new Set(await users.insertNew(trx, rows));
    const fresh = batch.map(({ row }) => added.delete(row.id)); // of two with one id the first was added
    const new_ones = batch.filter((_, i) => fresh[i]);
    await credentials.insertAllOf(trx, new_ones.flatMap(passwordOf));
    const told = new_ones.map(
      ({ row }) => ({ type: 'user_added', user_id: row.id, detail: 'import' }) as const,
    );
    await events.recordAll(trx, told, now, config.EVENTS_SECONDS);
    if (new_ones.some(({ row }) => users.isAdministrator(row))) await setup.claimByOperator(trx, now);
    if (new_ones.length === batch.length) return batch.map(() => 'added' as const);
    const taken = await users.findTaken(trx, rows);
    return batch.map((one, i) => (fresh[i] ? 'added' : whyNot(one, taken)));
  });
}

/** What importUsers would do, without doing it. */
export async function previewImport(
  { db }: Pick<Deps, 'db'>,
  batch: readonly ImportedUser[],
): Promise<readonly ImportOutcome[]> {
  const taken = await users.findTaken(
    db,
    batch.map(({ row }) => row),
  );
  return batch.map((one) => {
    const { id, email_canonical } = one.row;
    const free = !taken.some((other) => other.id === id || other.email_canonical === email_canonical);
    taken.push({ id, email_canonical });
    return free ? 'added' : whyNot(one, taken);
  });
}

function whyNot({ row, has_own_id }: ImportedUser, taken: readonly Taken[]): 'there' | UserError {
  const other = taken.find(({ email_canonical }) => email_canonical === row.email_canonical);
  if (other === undefined || other.id === row.id || !has_own_id) return 'there';
  return fault('conflict', `email: ${row.email} belongs to somebody with another id, ${other.id}`, 'email');
}

/** For the operator, who reads it in the language of the command line. */
function fault(code: UserErrorCode, faults: string, field: string): UserError {
  return new UserError(code, { key: 'admin.faults', values: { faults } }, field);
}

type Taken = Pick<users.UserRow, 'id' | 'email_canonical'>;

function passwordOf({ row, secret }: ImportedUser): readonly credentials.NewCredential[] {
  if (secret === null) return [];
  const { id: user_id, created_at, updated_at } = row;
  return [{ id: newId(), user_id, type: 'password', secret, created_at, updated_at }];
}
