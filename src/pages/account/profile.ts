/** One's profile, GET and POST /account/profile: what the setting PROFILE_EDITABLE opens can be changed, the rest is shown. */
import type { Context, Middleware } from 'koa';
import { changeProfile, profileOf } from '../../actions/profile.js';
import type { Deps } from '../../deps.js';
import { doneNow, forPerson, postForPerson, renderAccount } from '../../http/account.js';
import { seeOther } from '../../http/answer.js';
import type { Key } from '../../languages/keys.js';
import { UserError } from '../../oauth/errors.js';
import type { Params } from '../../oauth/params.js';
import { isProfileClaim, type ProfileClaim, profileClaims } from '../../oauth/profile_claims.js';
import type { LiveSession } from '../../store/sessions.js';
import * as users from '../../store/users.js';

type ProfileDeps = Pick<Deps, 'caches' | 'clock' | 'config' | 'db' | 'keys'>;
type Typed = Readonly<Partial<Record<ProfileClaim, string>>>;

const notices = { saved: 'account.profile_saved' } as const;

export function showProfile(deps: ProfileDeps): Middleware {
  return forPerson(deps, (ctx, session) => profileForm(deps, ctx, session, { typed: {}, error: null }));
}

export function postProfile(deps: ProfileDeps): Middleware {
  return postForPerson(
    deps,
    async (ctx, { params, session, visit, now }) => {
      await changeProfile(deps, { user_id: session.user_id, typed: typedIn(params) }, visit, now);
      seeOther(ctx, `${deps.config.base}/account/profile?done=saved`);
    },
    (ctx, { params, session }, error) => profileForm(deps, ctx, session, { typed: typedIn(params), error }),
  );
}

/** What the form says, which names its claims: an empty field is not sent apart from one that was not there. */
function typedIn(params: Params): Typed {
  const claims = (params.get('fields') ?? '').split(' ').filter(isProfileClaim);
  return Object.fromEntries(claims.map((claim) => [claim, params.get(claim) ?? '']));
}

interface Input {
  readonly label: Key;
  /** In which form it is typed, where that is not plain. */
  readonly hint: Key | null;
  /** What browsers may fill in. HTML §4.10.18.7. */
  readonly autocomplete: string;
}

const inputs: Readonly<Record<ProfileClaim, Input>> = {
  name: { label: 'account.claim_name', hint: null, autocomplete: 'name' },
  given_name: { label: 'account.claim_given_name', hint: null, autocomplete: 'given-name' },
  middle_name: { label: 'account.claim_middle_name', hint: null, autocomplete: 'additional-name' },
  family_name: { label: 'account.claim_family_name', hint: null, autocomplete: 'family-name' },
  nickname: { label: 'account.claim_nickname', hint: null, autocomplete: 'nickname' },
  preferred_username: { label: 'account.claim_preferred_username', hint: null, autocomplete: 'off' },
  profile: { label: 'account.claim_profile', hint: null, autocomplete: 'off' },
  picture: { label: 'account.claim_picture', hint: null, autocomplete: 'photo' },
  website: { label: 'account.claim_website', hint: null, autocomplete: 'url' },
  gender: { label: 'account.claim_gender', hint: null, autocomplete: 'sex' },
  birthdate: { label: 'account.claim_birthdate', hint: 'account.hint_birthdate', autocomplete: 'bday' },
  zoneinfo: { label: 'account.claim_zoneinfo', hint: 'account.hint_zoneinfo', autocomplete: 'off' },
  locale: { label: 'account.claim_locale', hint: 'account.hint_locale', autocomplete: 'language' },
  phone_number: { label: 'account.claim_phone_number', hint: null, autocomplete: 'tel' },
};

async function profileForm(
  deps: ProfileDeps,
  ctx: Context,
  session: LiveSession,
  { typed, error }: { readonly typed: Typed; readonly error: UserError | null },
): Promise<void> {
  const user = await users.find(deps.db, session.user_id);
  if (user === undefined) throw new UserError('not_found', 'account.no_session'); // removed at this very moment
  const editable = deps.config.PROFILE_EDITABLE;
  const fixed = profileClaims.filter((claim) => !editable.includes(claim));
  await renderAccount(deps, ctx, session, {
    view: 'account/profile',
    title: 'account.profile',
    data: {
      fields: profileOf(user, editable).map(({ claim, value }) => ({
        ...inputs[claim],
        claim,
        value: typed[claim] ?? value,
      })),
      fixed: profileOf(user, fixed)
        .filter(({ value }) => value !== '')
        .map(({ claim, value }) => ({ label: inputs[claim].label, value })),
      email: user.email,
      notice: doneNow(ctx, notices),
      error,
    },
  });
}
