/**
 * People make accounts themselves, or by invitation. Nothing is written for a stranger but one mail: what is pending travels sealed in its
 * link. The password is chosen behind the link, so that nobody can lay in wait in an account with somebody else's address; the answer is the
 * same whether the address has an account or not. Hardening rows 11 and 16.
 */
import type { Deps } from '../deps.js';
import type { Language } from '../languages/catalogues.js';
import { sourceOf } from '../limits/attempts.js';
import { countMail } from '../limits/mails.js';
import { domainOf, isDeliverable } from '../mail/address.js';
import { queueMail } from '../mail/queue.js';
import { UserError } from '../oauth/errors.js';
import { digest } from '../secrets.js';
import * as credentials from '../store/credentials.js';
import type { Trx } from '../store/db.js';
import type { Visit } from '../store/events.js';
import * as mailLinks from '../store/mail_links.js';
import * as users from '../store/users.js';
import { holdAddresses } from './addresses.js';
import { type HashDeps, newHash } from './new_password.js';
import { type Begun, beginSignIn } from './sign_in.js';
import type { NewSession } from './start_session.js';
import { insertUser, newUserRow } from './users.js';

const lives_seconds = 86_400;
const longest_name = 100;

export interface AccountAsked {
  readonly email: string;
  readonly visit: Visit;
  readonly language: Language;
  /** A query to be added to the link: the request that the person came with; '' where there is none. */
  readonly more: string;
  /** The provider that they came from, where it lets people make accounts; then neither setting is asked. */
  readonly provider_id?: string;
}

/** Sends a link to this address; to one that has an account, that it has. Throws UserError: `invalid_input` or `too_many_attempts`. */
export async function askForAccount(
  deps: Pick<Deps, 'bell' | 'config' | 'db' | 'keys'>,
  { email, visit, language, more, provider_id }: AccountAsked,
  now: number,
): Promise<void> {
  const { config, db } = deps;
  const typed = email.trim().normalize('NFC');
  assertAddress(provider_id === undefined ? config : { USER_REGISTRATION_DOMAINS: [] }, typed);
  const address = users.canonicalEmail(typed);
  if (!(await countMail(db, config, { kind: 'account', source: sourceOf(visit.address), address }, now)))
    return;

  const user = await users.findByEmail(db, address);
  const ring = await deps.keys.get();
  const token = ring.seal(
    'seal',
    Buffer.from(JSON.stringify({ email: typed, at: now, provider_id })),
    'registration',
  );
  const link = `${config.ISSUER}/create-account?token=${token}${more}`;
  const forgotten = `${config.ISSUER}/forgot-password`;
  const mail =
    user === undefined
      ? {
          to: { email: typed, zoneinfo: null, locale: null },
          message: { name: 'registration', link, from: visit } as const,
        }
      : { to: user, message: { name: 'account_exists', link: forgotten, from: visit } as const };
  const useless_at = now + lives_seconds;
  await db.transaction((trx) => queueMail(trx, { config, ring }, { ...mail, language, useless_at }, now));
  deps.bell.ring();
}

/** Throws UserError `invalid_input` where no mail goes to this address, or nobody with such an address may make an account. */
export function assertAddress(
  config: Pick<Deps['config'], 'USER_REGISTRATION_DOMAINS'>,
  email: string,
): void {
  if (!isDeliverable(email)) throw new UserError('invalid_input', 'register.email_invalid', 'email');
  if (domainOf(email) === '') throw new UserError('invalid_input', 'register.email_invalid', 'email');
  if (!isAllowed(config, email)) {
    const domains = config.USER_REGISTRATION_DOMAINS.join(', ');
    throw new UserError('invalid_input', { key: 'register.email_domain', values: { domains } }, 'email');
  }
}

function isAllowed(
  { USER_REGISTRATION_DOMAINS: domains }: Pick<Deps['config'], 'USER_REGISTRATION_DOMAINS'>,
  email: string,
): boolean {
  return domains.length === 0 || domains.includes(domainOf(email));
}

/** What a link to make an account is good for. */
export interface Pass {
  readonly email: string;
  /** Of an invitation; '' for the person to say. */
  readonly name: string;
  readonly roles: readonly string[];
  /** The digest of an invitation's token, which is used up; null for a registration, which ends with there being the account. */
  readonly invitation: string | null;
}

type PassDeps = Pick<Deps, 'caches' | 'config' | 'db' | 'keys'>;

/** Reads a link. Throws UserError `not_found` where it is not good any more, or accounts are not made this way now. Uses nothing up. */
export async function readPass(deps: PassDeps, token: string, now: number): Promise<Pass> {
  const { config, db } = deps;
  const pass = token.includes('.')
    ? await openRegistration(deps, token, now)
    : config.USER_REGISTRATION !== 'closed' && (await findInvitation(db, token, now));
  if (!pass) throw linkOver();
  return pass;
}

async function openRegistration({ caches, config, keys }: PassDeps, token: string, now: number) {
  const ring = await keys.get();
  const plain = token.length <= 2048 ? ring.open('seal', token, 'registration') : undefined;
  if (plain === undefined) return undefined;
  const { email, at, provider_id } = JSON.parse(plain.toString()) as {
    readonly email: string;
    readonly at: number;
    readonly provider_id?: string;
  }; // sealed above
  // Whoever lets people make accounts, the provider they came from or the settings, must do so still: neither stands in for the other.
  const lets =
    provider_id === undefined
      ? config.USER_REGISTRATION === 'open' && isAllowed(config, email)
      : (await caches.identityProviders()).some((row) => row.id === provider_id && row.registration === 1);
  if (!lets) return undefined;
  return now < at + lives_seconds ? { email, name: '', roles: [], invitation: null } : undefined;
}

async function findInvitation(db: Deps['db'], token: string, now: number): Promise<Pass | undefined> {
  const token_hash = digest(token);
  const link = await mailLinks.find(db, token_hash, 'invitation', now);
  if (link === undefined) return undefined;
  const detail = JSON.parse(link.detail ?? '{}') as Pick<Pass, 'name' | 'roles'>; // written by actions/invitations.ts
  return { email: link.email, ...detail, invitation: token_hash };
}

function linkOver(): UserError {
  return new UserError('not_found', 'register.link_over');
}

export interface NewAccount extends Pick<NewSession, 'current' | 'request_id' | 'visit'> {
  readonly token: string;
  readonly name: string;
  readonly password: string;
}

/**
 * Makes the account of a link, whose address counts as verified, and begins the sign-in of whoever opened it. Throws UserError: `not_found`,
 * `conflict` where there is one by now, `invalid_input` or `busy`.
 */
export async function createAccount(
  deps: PassDeps & HashDeps & Pick<Deps, 'bell'>,
  { token, name, password, ...session }: NewAccount,
  now: number,
): Promise<Begun> {
  const { email, roles, invitation } = await readPass(deps, token, now); // first: nobody has passwords hashed without a link
  const claims = { name: checkedName(name) };
  const row = newUserRow({ email, email_verified: true, roles, claims, password: null }, now);
  const secret = await newHash(deps, password, row);
  const begun = await deps.db.transaction(async (trx) => {
    if (invitation !== null && (await mailLinks.take(trx, invitation, 'invitation', now)) === undefined)
      throw linkOver();
    await insertNew(trx, deps, row, secret);
    const credential = await credentials.find(trx, row.id, 'password');
    const proof = { ...session, user_id: row.id, credential_id: credential?.id ?? null, amr: ['pwd'] };
    return beginSignIn(trx, deps.config, proof, now);
  });
  deps.bell.ring();
  deps.log.info({ event: 'account_created', user_id: row.id, invited: invitation !== null }, 'a new account');
  return begun;
}

async function insertNew(
  trx: Trx,
  deps: Pick<Deps, 'config'>,
  row: users.UserRow,
  secret: string,
): Promise<void> {
  await holdAddresses(trx, row.created_at);
  // Told in words for people; of two at the same moment the second one is refused by insertUser.
  if ((await users.findByEmail(trx, row.email_canonical)) !== undefined)
    throw new UserError('conflict', 'register.exists');
  await insertUser(trx, deps, row, secret);
}

function checkedName(name: string): string {
  const plain = name.trim().normalize('NFC');
  if (plain === '') throw new UserError('invalid_input', 'register.name_missing', 'name');
  if (plain.length > longest_name || /\p{Cc}/u.test(plain))
    throw new UserError('invalid_input', 'register.name_invalid', 'name');
  return plain;
}
