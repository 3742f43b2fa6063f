/**
 * The form of a passkey ceremony: what the browser is to ask its authenticators (views/assets/passkey.js), and the answer it posts.
 * Without script, or in a browser that has no passkeys, the form is not there; each page has another way beside it.
 */
import type { Context } from 'koa';
import type { Deps } from '../deps.js';
import { newChallenge } from '../factors/passkey_challenge.js';
import { UnknownPasskey } from '../factors/webauthn.js';
import { authenticationOptions, registrationOptions, relyingParty } from '../factors/webauthn_options.js';
import { UserError } from '../oauth/errors.js';
import type { Params } from '../oauth/params.js';
import * as passkeys from '../store/passkeys.js';
import type { LiveSession } from '../store/sessions.js';
import { productName } from './brand.js';
import { browserOf } from './browser.js';

/** What views/_parts/passkey.ejs shows. */
export interface PasskeyForm {
  /** JSON, for the script. */
  readonly options: string;
  /** The sealed challenge. */
  readonly challenge: string;
  /** Whether the browser offers passkeys in the field for the address, too. */
  readonly autofill: boolean;
}

type FormDeps = Pick<Deps, 'clock' | 'config' | 'keys'>;

/** A form that asks for any passkey at all, so that it says nothing of anybody's account. Null where there can be none. */
export async function anyPasskeyForm(deps: FormDeps, ctx: Context): Promise<PasskeyForm | null> {
  return askingForm(deps, ctx, null);
}

/** A form that asks for a passkey of a person who has given another proof. Null where they have none. */
export async function ownPasskeyForm(
  deps: FormDeps & Pick<Deps, 'db'>,
  ctx: Context,
  user_id: string,
): Promise<PasskeyForm | null> {
  const own = await passkeys.list(deps.db, user_id);
  return own.length === 0 ? null : askingForm(deps, ctx, { user_id, own });
}

async function askingForm(
  deps: FormDeps,
  ctx: Context,
  person: { readonly user_id: string; readonly own: readonly passkeys.PasskeyRow[] } | null,
): Promise<PasskeyForm | null> {
  const rp = relyingParty(deps.config);
  if (rp === null) return null;
  const browser = browserOf(ctx, deps.config);
  const ceremony = { kind: 'authentication', browser, user_id: person?.user_id ?? null } as const;
  const { value, sealed } = newChallenge(await deps.keys.get(), ceremony, deps.clock());
  const options = JSON.stringify(authenticationOptions(rp, person?.own ?? null, value));
  return { options, challenge: sealed, autofill: person === null };
}

/** A form that makes a passkey for whoever is signed in. Null where there can be none. The caller has asked for a recent proof. */
export async function newPasskeyForm(
  deps: FormDeps & Pick<Deps, 'db'>,
  ctx: Context,
  { user_id, email, name }: Pick<LiveSession, 'user_id' | 'email' | 'name'>,
): Promise<PasskeyForm | null> {
  const rp = relyingParty({ ...deps.config, PRODUCT_NAME: productName(ctx, deps.config) });
  if (rp === null) return null;
  const ceremony = { kind: 'registration', browser: browserOf(ctx, deps.config), user_id } as const;
  const { value, sealed } = newChallenge(await deps.keys.get(), ceremony, deps.clock());
  const registrant = { user_id, email, name, passkeys: await passkeys.list(deps.db, user_id) };
  const options = JSON.stringify(registrationOptions(rp, registrant, value));
  return { options, challenge: sealed, autofill: false };
}

/** What the script posted. Throws UserError where it did not. */
export function readPasskey(deps: Pick<Deps, 'config'>, ctx: Context, params: Params) {
  const answer = params.get('passkey');
  const challenge = params.get('challenge');
  if (answer === undefined || challenge === undefined)
    throw new UserError('invalid_input', 'passkeys.nothing_posted');
  return { answer, challenge, browser: browserOf(ctx, deps.config) };
}

/** What the script tells a browser that offered a passkey which nobody has here: it may forget it. Null for any other error. */
export function passkeySignal(config: Deps['config'], error: UserError | null): string | null {
  const rp = relyingParty(config);
  if (rp === null || !(error instanceof UnknownPasskey)) return null;
  return JSON.stringify(['signalUnknownCredential', { rpId: rp.id, credentialId: error.credential_id }]);
}
