/** Sends the code by which somebody proves a second factor that has no other (factors/email_code.ts). Hardening rows 13 to 15. */
import type { Deps } from '../deps.js';
import { countsAsFactor, issueEmailCode } from '../factors/email_code.js';
import type { Language } from '../languages/catalogues.js';
import { countCode } from '../limits/mails.js';
import { queueMail } from '../mail/queue.js';
import { UserError } from '../oauth/errors.js';
import type { SignInRow } from '../store/sign_ins.js';
import * as users from '../store/users.js';

/**
 * Sends a code for a sign-in under way; those sent before are good no more. Throws UserError `too_many_attempts`, `not_allowed` where the
 * person has another second factor by now, or `form_expired` where the sign-in is over.
 */
export async function sendEmailCode(
  { bell, config, db, keys, log }: Pick<Deps, 'bell' | 'config' | 'db' | 'keys' | 'log'>,
  sign_in: SignInRow,
  language: Language,
  now: number,
): Promise<void> {
  const ring = await keys.get();
  const { user_id } = sign_in;
  await db.transaction(async (trx) => {
    const owner = await users.find(trx, user_id);
    if (owner === undefined) throw new UserError('form_expired', 'factor.over');
    if (!(await countsAsFactor(trx, config, user_id)))
      throw new UserError('not_allowed', 'factor.no_email_code');
    const issued = await issueEmailCode(trx, ring, { sign_in, owner }, now);
    if (issued === null) throw new UserError('too_many_attempts', 'factor.too_many_mails');
    await countCode(trx, config, owner.email_canonical, now);
    const { code, expires_at: useless_at } = issued;
    const mail = { to: owner, message: { name: 'sign_in_code', code }, language, useless_at } as const;
    await queueMail(trx, { config, ring }, mail, now);
  });
  bell.ring();
  log.info({ event: 'email_code_sent', user_id }, 'a code for a sign-in was sent by mail');
}
