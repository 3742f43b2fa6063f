/**
 * Claiming a new server: a one-time link, by which the operator becomes the first administrator. Until then nobody can. One
 * conditional statement decides, over all processes. Hardening row 31; decisions 22.
 */
import type { Deps } from '../deps.js';
import { checkNewPassword } from '../factors/new_password.js';
import { hashPassword } from '../factors/password.js';
import { UserError } from '../oauth/errors.js';
import { digest, equal, newSecret } from '../secrets.js';
import * as events from '../store/events.js';
import * as setup from '../store/setup.js';
import { holdAddresses } from './addresses.js';
import { insertUser, newUserRow, type UserDeps } from './users.js';

const link_seconds = 30 * 60;

export async function isClaimed(deps: Pick<Deps, 'db'>): Promise<boolean> {
  return (await setup.find(deps.db)).claimed_at !== null;
}

/** A new claim link; the one before it dies. Null if the server has been claimed. */
export async function offerClaim(deps: Pick<Deps, 'config' | 'db'>, now: number): Promise<string | null> {
  const token = newSecret();
  const offered = await deps.db.transaction((trx) => setup.offer(trx, digest(token), now + link_seconds));
  return offered ? `${deps.config.ISSUER}/claim?token=${token}` : null;
}

/** Throws UserError `not_allowed` unless this is the living claim link. */
export async function assertClaimable(deps: Pick<Deps, 'db'>, token: string, now: number): Promise<void> {
  const { claim_hash, claim_expires_at, claimed_at } = await setup.find(deps.db);
  if (claimed_at !== null) throw new UserError('not_allowed', 'claim.claimed');
  const right = claim_hash !== null && equal(digest(token), claim_hash);
  if (!right || (claim_expires_at ?? 0) <= now) {
    throw new UserError('not_allowed', 'claim.link_invalid');
  }
}

export interface Claim {
  readonly token: string;
  readonly email: string;
  readonly name: string;
  readonly password: string;
}

/** Makes the first administrator. Throws UserError `not_allowed` for a link that is spent, expired or wrong, `invalid_input` for a field. */
export async function claimServer(deps: UserDeps, claim: Claim, now: number): Promise<void> {
  await assertClaimable(deps, claim.token, now); // before anything slow: a stranger costs no hash
  const claims = claim.name.trim() === '' ? {} : { name: claim.name };
  const row = newUserRow(
    { email: claim.email, email_verified: true, roles: ['admin'], claims, password: null },
    now,
  );
  const password = await checkNewPassword(deps, claim.password, row);
  const secret = await hashPassword(deps.hashing, deps.config, password);
  await deps.db.transaction(async (trx) => {
    await holdAddresses(trx, now);
    if (!(await setup.claim(trx, digest(claim.token), now)))
      throw new UserError('not_allowed', 'claim.claimed');
    await insertUser(trx, deps, row, secret);
    await events.record(trx, { type: 'server_claimed', user_id: row.id }, now, deps.config.EVENTS_SECONDS);
  });
}
