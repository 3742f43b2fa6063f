/**
 * Setting up an authenticator app. The key travels sealed in the form until a code shows that the app has it: nothing is stored before,
 * and a form that is sent twice adds one app. Hardening rows 9 and 13.
 */
import type { Deps } from '../deps.js';
import { factorName } from '../factors/factor_name.js';
import * as totp from '../factors/totp.js';
import type { KeyRing } from '../keys/keys.js';
import { notifyUser } from '../mail/queue.js';
import { withFactor } from '../oauth/acr.js';
import { UserError } from '../oauth/errors.js';
import { newId } from '../secrets.js';
import * as credentials from '../store/credentials.js';
import type { Trx } from '../store/db.js';
import * as events from '../store/events.js';
import type { LiveSession } from '../store/sessions.js';
import * as users from '../store/users.js';
import { assertFirstFactor, assertMayAddFactor, factorsChanged } from './second_factors.js';
import type { FactorProof } from './sign_in.js';
import { type StartedSession, strengthenSession } from './start_session.js';

const context = 'totp enrolment';
const lives_seconds = 900;
/** As many as a person may have: each is tried at a sign-in. */
const most = 20;

interface Sealed {
  readonly id: string;
  readonly user_id: string;
  readonly key: string;
  readonly expires_at: number;
}

export interface TotpOffer {
  /** As the form carries it. */
  readonly sealed: string;
  /** For the QR code. */
  readonly uri: string;
  /** The key as a person types it. */
  readonly secret: string;
}

/** A new key for somebody, or the one that `sealed` holds, so that a form that is shown again asks for the same one. */
export function offerTotp(
  ring: KeyRing,
  who: { readonly user_id: string; readonly email: string; readonly product: string },
  sealed: string | undefined,
  now: number,
): TotpOffer {
  const { user_id, email: account, product: issuer } = who;
  const held = sealed === undefined ? undefined : open(ring, sealed, user_id, now);
  const key = held === undefined ? totp.newTotpKey() : Buffer.from(held.key, 'base64url');
  const noted: Sealed = held ?? {
    ...{ id: newId(), user_id, key: key.toString('base64url'), expires_at: now + lives_seconds },
  };
  const kept = held === undefined ? undefined : sealed;
  return {
    sealed: kept ?? ring.seal('seal', Buffer.from(JSON.stringify(noted)), context),
    ...totp.enrolment(key, { issuer, account }),
  };
}

function open(ring: KeyRing, sealed: string, user_id: string, now: number): Sealed | undefined {
  const plain = ring.open('seal', sealed, context);
  const held = plain && (JSON.parse(plain.toString()) as Sealed); // offerTotp wrote it
  return held?.user_id === user_id && held.expires_at > now ? held : undefined;
}

export interface NewTotp {
  readonly sealed: string;
  readonly code: string;
  /** What the person calls the app; '' for none. */
  readonly name: string;
  readonly visit: events.Visit;
}

type EnrolDeps = Pick<Deps, 'bell' | 'config' | 'db'> & { readonly ring: KeyRing };

/**
 * Adds an app to the account of a session; the session grows by what was proved. Throws UserError `wrong_credentials` where the code is
 * not the app's, `form_expired` where the form is too old, the session ended or another factor was added meanwhile, `conflict` where there
 * are too many.
 */
export async function addTotp(
  deps: EnrolDeps,
  session: LiveSession,
  added: NewTotp,
  now: number,
): Promise<StartedSession> {
  const started = await deps.db.transaction(async (trx) => {
    await assertMayAddFactor(trx, session);
    if (!(await insertTotp(trx, deps, session.user_id, added, now)))
      throw new UserError('wrong_credentials', 'factor.wrong_code', 'code');
    return strengthenSession(trx, session, withFactor(session.amr.split(' '), totp.amr), now);
  });
  deps.bell.ring();
  return started;
}

/**
 * The same as a proof, for a sign-in that has to set up a second factor first. Of two that set one up at the same moment one does: whoever
 * knows the password does not add theirs beside the owner's.
 */
export function enrolmentProof(deps: EnrolDeps, added: NewTotp, now: number): FactorProof {
  return {
    counted: 'nowhere', // it is one's own key: there is nothing to guess
    async verify(trx, { user_id }) {
      await assertFirstFactor(trx, user_id);
      return (await insertTotp(trx, deps, user_id, added, now)) ? totp.amr : null;
    },
  };
}

/** False where the code is not the app's. */
async function insertTotp(
  trx: Trx,
  deps: EnrolDeps,
  user_id: string,
  { sealed, code, name, visit }: NewTotp,
  now: number,
): Promise<boolean> {
  const { ring, config } = deps;
  const held = open(ring, sealed, user_id, now);
  if (held === undefined) throw new UserError('form_expired', 'factor.enrolment_expired');
  const key = Buffer.from(held.key, 'base64url');
  const step = totp.matchingStep(key, code, now);
  if (step === null) return false;
  const { id } = held;
  await users.hold(trx, user_id); // of two at the same moment the second sees the first
  const others = (await credentials.list(trx, user_id, 'totp')).filter((row) => row.id !== id);
  if (others.length >= most) throw new UserError('conflict', 'factor.limit_reached');
  const secret = totp.sealKey(ring, key, { id, user_id });
  const row = { id, user_id, type: 'totp', secret, created_at: now, updated_at: now } as const;
  const fresh = await credentials.insertOnce(trx, { ...row, name: factorName(name) });
  await credentials.useStep(trx, { id, step, now });
  if (!fresh) return true; // the form was sent twice
  await factorsChanged(trx, user_id);
  const detail = 'totp';
  await events.record(trx, { type: 'factor_added', user_id, detail, visit }, now, config.EVENTS_SECONDS);
  const message = { name: 'totp_added', from: visit } as const;
  await notifyUser(trx, { config, ring }, { user_id, message }, now);
  return true;
}
