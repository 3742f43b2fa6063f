/**
 * The address of a person: another one, and showing that it is theirs. A new address counts when the link that went to it is used; the old
 * one is told before and after, and can take the change back for seven days. Hardening rows 10 and 11.
 */
import type { Deps } from '../deps.js';
import type { Language } from '../languages/catalogues.js';
import { sourceOf } from '../limits/attempts.js';
import { countMail } from '../limits/mails.js';
import { queueMail } from '../mail/queue.js';
import { UserError } from '../oauth/errors.js';
import { digest, newSecret } from '../secrets.js';
import type { Visit } from '../store/events.js';
import * as mailLinks from '../store/mail_links.js';
import * as users from '../store/users.js';
import { nameOf } from './branding.js';
import { assertAddress } from './registration.js';

const lives_seconds = 86_400;

type EmailDeps = Pick<Deps, 'bell' | 'caches' | 'config' | 'db' | 'keys'>;

export interface EmailAsked {
  readonly user_id: string;
  readonly visit: Visit;
  readonly language: Language;
}

/**
 * Sends a link to the new address of a person, and tells the old one. Whether somebody has that address already makes no difference: they
 * are told. Throws UserError: `invalid_input`, `not_allowed` or `too_many_attempts`.
 */
export async function askForEmail(
  deps: EmailDeps,
  asked: EmailAsked & { readonly email: string },
  now: number,
): Promise<void> {
  const { config, db } = deps;
  if (config.mail === 'off') throw new UserError('not_allowed', 'email.no_mail');
  if (!config.EMAIL_EDITABLE) {
    const { PRODUCT_NAME: product } = await nameOf(deps);
    throw new UserError('not_allowed', { key: 'email.closed', values: { product } });
  }
  const email = asked.email.trim().normalize('NFC');
  assertAddress(config, email);
  const { user, address } = await ownerOf(deps, asked.user_id, email);
  if (address === user.email_canonical) throw new UserError('invalid_input', 'email.same', 'email');
  const source = sourceOf(asked.visit.address);
  if (!(await countMail(db, config, { kind: 'address', source, address }, now))) return;

  const other = await users.findByEmail(db, address);
  const token = newSecret();
  const post = { config, ring: await deps.keys.get() };
  const from = asked.visit;
  const link = other === undefined ? linkOf(config, token) : `${config.ISSUER}/forgot-password`;
  const message = { name: other === undefined ? 'email_change' : 'account_exists', link, from } as const;
  const to = other ?? { email, zoneinfo: user.zoneinfo, locale: user.locale };
  const { language } = asked;
  await db.transaction(async (trx) => {
    await mailLinks.removeOf(trx, user.id, 'email_change'); // the newest counts
    await mailLinks.insertFor(trx, newLink({ token, purpose: 'email_change', user_id: user.id, email }, now));
    await queueMail(trx, post, { to, message, language, useless_at: now + lives_seconds }, now);
    const notice = { name: 'email_change_asked', email, from } as const;
    await queueMail(trx, post, { to: user, message: notice, language }, now);
  });
  deps.bell.ring();
}

/** Sends a link by which a person shows that the address of their account is theirs. Throws like askForEmail. */
export async function askForVerification(
  deps: EmailDeps,
  { user_id, visit, language }: EmailAsked,
  now: number,
): Promise<void> {
  const { config, db } = deps;
  if (config.mail === 'off') throw new UserError('not_allowed', 'email.no_mail');
  const { user } = await ownerOf(deps, user_id, '');
  const { email, email_canonical: address } = user;
  const source = sourceOf(visit.address);
  // Of a kind of its own: others cannot use it up by asking for this address.
  if (!(await countMail(db, config, { kind: 'verification', source, address }, now))) return;
  const token = newSecret();
  const post = { config, ring: await deps.keys.get() };
  const message = { name: 'email_verification', link: linkOf(config, token), from: visit } as const;
  await db.transaction(async (trx) => {
    await mailLinks.insertFor(trx, newLink({ token, purpose: 'email_verification', user_id, email }, now));
    await queueMail(trx, post, { to: user, message, language, useless_at: now + lives_seconds }, now);
  });
  deps.bell.ring();
}

async function ownerOf({ db }: Pick<Deps, 'db'>, user_id: string, email: string) {
  const user = await users.find(db, user_id);
  if (user === undefined) throw new UserError('form_expired', 'common.form_expired'); // removed at this very moment
  return { user, address: users.canonicalEmail(email) };
}

function linkOf({ ISSUER }: Pick<Deps['config'], 'ISSUER'>, token: string): string {
  return `${ISSUER}/email-link?token=${token}`;
}

interface NewLink extends Pick<mailLinks.MailLinkRow, 'purpose' | 'email'> {
  readonly token: string;
  readonly user_id: string;
}

function newLink({ token, ...link }: NewLink, now: number) {
  return {
    ...link,
    token_hash: digest(token),
    detail: null,
    created_at: now,
    expires_at: now + lives_seconds,
  };
}
