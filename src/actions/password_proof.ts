/**
 * Proving who one is with a password. The attempt is counted before the check and given back on success; where there is nobody, the
 * same work is done. Hardening rows 14–16.
 */
import type { Deps } from '../deps.js';
import { hashPassword, isOutdated, verifyPassword } from '../factors/password.js';
import { type Attempt, reserve } from '../limits/attempts.js';
import { giveBack, type Reservation } from '../limits/counters.js';
import { busy } from '../limits/hashing_gate.js';
import { UserError } from '../oauth/errors.js';
import { digest } from '../secrets.js';
import * as credentials from '../store/credentials.js';
import type { Trx } from '../store/db.js';

export type PasswordDeps = Pick<Deps, 'config' | 'db' | 'hashing' | 'log'>;

export interface PasswordProof {
  readonly password: string;
  readonly attempt: Attempt;
  /** Undefined where nobody has the address, or no password. */
  readonly credential: credentials.CredentialRow | undefined;
}

/** A password that was right when it was checked. */
export interface ProvedPassword {
  readonly credential: credentials.CredentialRow;
  readonly key_hashes: readonly string[];
  /** The hash with the parameters now set; null where it has them already, or could not be had. */
  readonly renewed: string | null;
}

/** Throws UserError `busy` where no password can be checked now: a storm that cannot be answered writes nothing. */
export function assertNotBusy({ config, hashing }: PasswordDeps): void {
  if (hashing.pending >= config.hashing.slots + config.hashing.queue) throw busy();
}

/** Checks a password. Null where it is wrong. Throws UserError `too_many_attempts` or `busy`. */
export async function provePassword(
  deps: PasswordDeps,
  { password, attempt, credential }: PasswordProof,
  now: number,
): Promise<ProvedPassword | null> {
  const { db, config, hashing } = deps;
  const reservation = await db.transaction((trx) => reserve(trx, attempt, config, now));
  if (!reservation.allowed) throw tooMany(reservation);

  // Where nobody has the address, somebody else's hash is checked, the same each time: among hashes that came with an import it takes as
  // long as one of those there are, so that the time tells nothing (hardening 16). Looked up for everybody, used for nobody.
  const decoy = await credentials.findSecretFrom(db, digest(attempt.account));
  const right = await verifyPassword(hashing, config, password, credential?.secret ?? decoy).catch(
    async (error: unknown) => {
      await db.transaction((trx) => giveBack(trx, reservation.key_hashes)); // not checked: nothing was guessed
      throw error;
    },
  );
  if (!right || !credential) return null;
  const renewed = isOutdated(config, credential.secret) ? await renewedHash(deps, password) : null;
  return { credential, key_hashes: reservation.key_hashes, renewed };
}

/**
 * Settles a right password in the transaction of what it is for: the attempt is taken back and the hash renewed. False where the
 * password was changed while it was being checked: then it does not count any more.
 */
export async function settlePassword(
  trx: Trx,
  { credential, key_hashes, renewed }: ProvedPassword,
  now: number,
): Promise<boolean> {
  await giveBack(trx, key_hashes);
  if (!(await credentials.lock(trx, credential.id, credential.secret))) return false;
  if (renewed !== null) await credentials.renew(trx, credential.id, credential.secret, renewed, now);
  return true;
}

/** A hash with the parameters now set; null where it cannot be had now. The password was right, so the sign-in goes on. */
async function renewedHash(deps: PasswordDeps, password: string): Promise<string | null> {
  try {
    return await hashPassword(deps.hashing, deps.config, password);
  } catch (err) {
    deps.log.info({ err }, 'a password hash was not renewed'); // the queue is full, say: the next sign-in will do it
    return null;
  }
}

/** What who hammers is told: when to try again. */
export function tooMany({ retry_after }: Extract<Reservation, { allowed: false }>): UserError {
  const text = { key: 'login.too_many_attempts', values: { count: Math.ceil(retry_after / 60) } } as const;
  return new UserError('too_many_attempts', text, null, retry_after);
}
