/**
 * Mail of the outbox. Its body is erased when the mail server took it or it is given up (decisions 9). Where there is no mail server it is
 * shown to developers (pages/dev_mail.ts) and, without its link, logged.
 */
import { nameOf } from '../actions/branding.js';
import type { Deps } from '../deps.js';
import { type Letter, letterOf, type Mail, placeOf } from '../mail/letter.js';
import { openMail } from '../mail/queue.js';
import { MailError } from '../mail/smtp.js';
import * as store from '../store/mails.js';
import type { Kind } from './sender.js';

/** Until a message that was taken is free again, its sender having died: longer than sending takes. */
const claim_seconds = 60;
/** Seconds before the second attempt, the third and so on; then half an hour each time. */
const pauses = [10, 30, 60, 300, 900];
const last_pause = 1800;

type MailDeps = Pick<Deps, 'caches' | 'clock' | 'config' | 'db' | 'keys' | 'log' | 'mailer' | 'places'>;

export function mails(deps: MailDeps): Kind<store.MailRow> {
  return {
    at_once: 4,
    claim: (now) => store.claim(deps.db, { now, next_attempt_at: now + claim_seconds }),
    async send(row, hang_up) {
      const outcome = await attempt(deps, row, hang_up);
      const now = deps.clock();
      const next_attempt_at = outcome.state === 'tried' ? nextAttempt(row, now) : null;
      const state = outcome.state === 'tried' && next_attempt_at === null ? 'failed' : outcome.state;
      const { id, name, attempts } = row;
      const { answer } = outcome;
      const body = state === 'tried' || state === 'shown' ? row.body : null;
      await store.settle(deps.db, { id, attempts, state, body, answer, attempted_at: now, next_attempt_at });
      const told = { event: 'mail', id, name, state, attempts, answer };
      if (state === 'delivered' || state === 'shown') deps.log.info(told, 'a mail was sent');
      else deps.log.warn(told, 'a mail could not be sent');
    },
  };
}

/** When a message is sent again; null if its time is over then. */
function nextAttempt({ attempts, useless_at }: store.MailRow, now: number): number | null {
  const next = now + (pauses[attempts - 1] ?? last_pause);
  return next < useless_at ? next : null;
}

interface Outcome {
  readonly state: 'delivered' | 'shown' | 'failed' | 'tried';
  /** In a few words; never what the mail server wrote, which may repeat the address. */
  readonly answer: string;
}

async function attempt(deps: MailDeps, row: store.MailRow, hang_up: AbortSignal): Promise<Outcome> {
  const now = deps.clock();
  if (row.useless_at <= now) return { state: 'failed', answer: 'its time was over' };
  const mail = openMail(await deps.keys.get(), row);
  if (mail === undefined) return { state: 'failed', answer: 'it cannot be opened: its key is gone' };
  const letter = await write(deps, mail, row);
  if (letter === undefined) return { state: 'tried', answer: 'its template failed' };
  if (deps.mailer === null) return show(deps, letter);
  try {
    await deps.mailer.send(letter, row.id, now, hang_up);
    return { state: 'delivered', answer: 'taken by the mail server' };
  } catch (error) {
    if (!(error instanceof MailError)) throw error;
    return { state: error.permanent ? 'failed' : 'tried', answer: error.message };
  }
}

/** Undefined where the templates cannot be filled with this message: those of the operator's own may fail for some. */
async function write(
  deps: MailDeps,
  mail: Mail,
  { id, name, created_at }: store.MailRow,
): Promise<Letter | undefined> {
  const [product, place] = [await nameOf(deps), await placeOf(deps.places, mail)];
  try {
    return letterOf(product, mail, created_at, place);
  } catch (err) {
    deps.log.error({ err, id, name }, 'a template failed');
    return undefined;
  }
}

/** For a developer without a mail server: all but links and codes is in the log, which may be a file. */
function show({ config, log }: MailDeps, { to, subject, text, secrets }: Letter): Outcome {
  const page = `${config.ISSUER}/dev/mail`;
  const masked = (words: string) =>
    secrets.reduce((left, secret) => left.replaceAll(secret, `(see ${page})`), words);
  log.info({ event: 'mail_shown', to, subject: masked(subject), text: masked(text) }, 'a mail');
  return { state: 'shown', answer: `shown at ${page}` };
}
