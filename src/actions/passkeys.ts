/** One's own passkeys: adding, renaming, removing them. One function is one decision, one transaction, one event. */
import type { Deps } from '../deps.js';
import { authenticatorName } from '../factors/authenticator_names.js';
import { consumeChallenge, openChallenge } from '../factors/passkey_challenge.js';
import { amrOf, verifyRegistration } from '../factors/webauthn.js';
import { relyingParty } from '../factors/webauthn_options.js';
import type { Language } from '../languages/catalogues.js';
import { notifyUser, type Ring } from '../mail/queue.js';
import { withFactor } from '../oauth/acr.js';
import { UserError } from '../oauth/errors.js';
import { newId } from '../secrets.js';
import * as credentials from '../store/credentials.js';
import type { Queryable, Trx } from '../store/db.js';
import * as events from '../store/events.js';
import * as passkeys from '../store/passkeys.js';
import * as secondFactors from '../store/second_factors.js';
import type { SessionRow } from '../store/sessions.js';
import * as users from '../store/users.js';
import {
  assertFirstFactor,
  assertMayAddFactor,
  assertMayRemoveFactor,
  factorsChanged,
} from './second_factors.js';
import type { FactorProof } from './sign_in.js';
import { strengthenSession } from './start_session.js';

type PasskeysDeps = Pick<Deps, 'bell' | 'config' | 'db' | 'keys'>;

/** As many as a person may have. */
const most = 20;
const longest_name = 100;

/** A passkey that a browser made, as it was posted. */
export interface NewPasskey {
  readonly user_id: string;
  /** What the browser gave, as JSON. */
  readonly answer: string;
  /** The challenge as the form carries it. */
  readonly challenge: string;
  /** The digest of the browser's cookie. */
  readonly browser: string;
  /** What it is called where the authenticator does not say who made it. */
  readonly unnamed: string;
  readonly by: Doer;
}

/** Who changes something, as the owner of the account is told. */
export interface Doer {
  readonly visit: events.Visit;
  /** Of the page. */
  readonly language: Language;
}

/**
 * Adds a passkey; the session grows by what was proved, and gets a new cookie. Throws UserError `form_expired` (the challenge is not this
 * browser's and person's, used up, or five minutes old; or the session ended), `invalid_input` (the answer is not right), `conflict` (it is
 * somebody's already, or there are too many).
 */
export async function addPasskey(
  deps: PasskeysDeps & Pick<Deps, 'log'>,
  session: SessionRow,
  made: NewPasskey,
  now: number,
): Promise<{ readonly id: string; readonly cookie: string }> {
  const checked = await checkPasskey(deps, made, now);
  const { cookie } = await deps.db.transaction(async (trx) => {
    await assertMayAddFactor(trx, session);
    await insertPasskey(trx, deps.config, checked, now);
    return strengthenSession(trx, session, withFactor(session.amr.split(' '), checked.amr), now);
  });
  deps.bell.ring();
  return { id: checked.row.id, cookie };
}

/** The same as a proof, for a sign-in that has to set up a second factor first. Throws like addPasskey, now or when it is verified. */
export async function passkeyEnrolmentProof(
  deps: PasskeysDeps & Pick<Deps, 'log'>,
  made: NewPasskey,
  now: number,
): Promise<FactorProof> {
  const checked = await checkPasskey(deps, made, now);
  return {
    counted: 'nowhere', // it is one's own key: there is nothing to guess
    async verify(trx, { user_id }) {
      await assertFirstFactor(trx, user_id);
      await insertPasskey(trx, deps.config, checked, now);
      return checked.amr;
    },
  };
}

type Checked = Awaited<ReturnType<typeof checkPasskey>>;

/** What takes its time, before any transaction. */
async function checkPasskey(
  { config, keys, log }: Pick<PasskeysDeps, 'config' | 'keys'> & Pick<Deps, 'log'>,
  { user_id, answer, challenge: sealed, browser, unnamed, by }: NewPasskey,
  now: number,
) {
  const rp = relyingParty(config);
  if (rp === null) throw new UserError('not_allowed', 'passkeys.not_here');
  const ring = await keys.get();
  const challenge = openChallenge(ring, sealed, { kind: 'registration', browser, user_id }, now);
  if (challenge === undefined) throw new UserError('form_expired', 'passkeys.expired');
  const made = await verifyRegistration(rp, answer, challenge.value);
  if ('refused' in made) {
    log.info({ event: 'passkey_not_added', user_id, reason: made.refused }, 'a passkey was not added');
    throw new UserError('invalid_input', 'passkeys.not_added');
  }
  const name = authenticatorName(made.aaguid) ?? unnamed;
  const row = { ...made, id: newId(), user_id, name, created_at: now, last_used_at: null };
  return { row, amr: amrOf(made, { user_verified: false }), challenge, ring, by };
}

async function insertPasskey(
  trx: Trx,
  config: Deps['config'],
  { row, challenge, ring, by }: Checked,
  now: number,
): Promise<void> {
  const { user_id } = row;
  if ((await users.hold(trx, user_id)) === undefined) throw gone(); // of two first factors at the same moment one is first
  if (!(await consumeChallenge(trx, challenge))) throw new UserError('form_expired', 'passkeys.used');
  const before = await secondFactors.list(trx, user_id);
  if (before.filter(({ type }) => type === 'passkey').length >= most)
    throw new UserError('conflict', 'passkeys.limit_reached');
  if (!(await passkeys.insert(trx, row))) throw new UserError('conflict', 'passkeys.taken');
  await tell(trx, { config, ring }, { name: 'passkey_added', row, by }, now);
  await factorsChanged(trx, user_id);
}

/** A passkey of a person. Throws UserError `not_found` where they have no such one (any more). */
export async function loadPasskey(
  db: Queryable,
  { id, user_id }: { readonly id: string; readonly user_id: string },
): Promise<passkeys.PasskeyRow> {
  const row = (await passkeys.list(db, user_id)).find((one) => one.id === id);
  if (row === undefined) throw gone();
  return row;
}

/** Renames a passkey. Throws UserError `invalid_input` for the field `name`, or `not_found`. */
export async function renamePasskey(
  deps: Pick<Deps, 'db'>,
  { id, user_id, name }: { readonly id: string; readonly user_id: string; readonly name: string },
): Promise<void> {
  const normal = name
    .normalize('NFC')
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .trim();
  if (normal === '') throw new UserError('invalid_input', 'passkeys.name_missing', 'name');
  if (normal.length > longest_name) throw new UserError('invalid_input', 'passkeys.name_too_long', 'name');
  if (!(await passkeys.rename(deps.db, { id, user_id, name: normal }))) throw gone();
}

/** What removing a passkey means. `only_way` forbids it. */
type Removal = 'free' | 'last' | 'only_way';

/** Whether a person may remove one of their passkeys, and whether it should be thought over: nobody removes their last way in. */
export async function removalOf(db: Queryable, user_id: string): Promise<Removal> {
  const others = (await secondFactors.list(db, user_id)).length - 1;
  if (others > 0) return 'free';
  const has_password = (await credentials.find(db, user_id, 'password')) !== undefined;
  return has_password ? 'last' : 'only_way';
}

/** Removes a passkey. Throws UserError `not_found`, or `not_allowed` where it is the last that there must be. */
export async function removePasskey(
  deps: PasskeysDeps,
  { id, user_id, by }: { readonly id: string; readonly user_id: string; readonly by: Doer },
  now: number,
): Promise<void> {
  const { config } = deps;
  const ring = await deps.keys.get();
  await deps.db.transaction(async (trx) => {
    await users.hold(trx, user_id); // of two that remove the last two at the same moment the second sees what the first left
    const row = await loadPasskey(trx, { id, user_id });
    await assertMayRemoveFactor(trx, config, user_id);
    const removal = await removalOf(trx, user_id);
    if (removal === 'only_way') throw new UserError('not_allowed', 'passkeys.remove_only_way');
    await passkeys.remove(trx, { id, user_id });
    await factorsChanged(trx, user_id);
    await tell(trx, { config, ring }, { name: 'passkey_removed', row, by }, now);
  });
  deps.bell.ring();
}

interface Change {
  readonly name: 'passkey_added' | 'passkey_removed';
  readonly row: Pick<passkeys.PasskeyRow, 'user_id' | 'name'>;
  readonly by: Doer;
}

/** Records a change, and tells its owner by mail, who may know nothing of it. */
async function tell(
  trx: Trx,
  { config, ring }: { readonly config: Deps['config']; readonly ring: Ring },
  { name, row, by }: Change,
  now: number,
): Promise<void> {
  const { user_id, name: detail } = row;
  const { visit, language } = by;
  await events.record(trx, { type: name, user_id, detail, visit }, now, config.EVENTS_SECONDS);
  await notifyUser(trx, { config, ring }, { user_id, message: { name, from: visit }, language }, now);
}

function gone(): UserError {
  return new UserError('not_found', 'passkeys.gone');
}
