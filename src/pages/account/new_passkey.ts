/** A new passkey, GET and POST /account/passkeys/add. The browser makes it; without script, or without passkeys in it, the page says so. */
import type { Context, Middleware } from 'koa';
import { addPasskey } from '../../actions/passkeys.js';
import type { Deps } from '../../deps.js';
import { forPerson, postForPerson, renderAccount } from '../../http/account.js';
import { seeOther } from '../../http/answer.js';
import { languageOf } from '../../http/language.js';
import { newPasskeyForm, readPasskey } from '../../http/passkey_form.js';
import { requireFullProof } from '../../http/recent_proof.js';
import { giveSession } from '../../http/session.js';
import { translatorOf } from '../../languages/translate.js';
import type { UserError } from '../../oauth/errors.js';
import * as credentials from '../../store/credentials.js';
import type { LiveSession } from '../../store/sessions.js';

type NewPasskeyDeps = Pick<Deps, 'bell' | 'caches' | 'clock' | 'config' | 'db' | 'keys' | 'log'>;

export function showNewPasskey(deps: NewPasskeyDeps): Middleware {
  return forPerson(deps, async (ctx, session, now) => {
    if (!(await requireFullProof(ctx, deps, session, { now }))) return;
    await addForm(deps, ctx, session, null);
  });
}

/**
 * The proof was recent when the form was given out, and the form's challenge is this person's, in this browser, for five minutes: whoever
 * takes a minute for the ceremony is not sent to prove it once more, which would leave them with a passkey that nobody knows.
 */
export function postNewPasskey(deps: NewPasskeyDeps): Middleware {
  const { base } = deps.config;
  return postForPerson(
    deps,
    async (ctx, { params, session, visit, now }) => {
      const language = languageOf(ctx, deps.config, null);
      const by = { visit, language };
      const unnamed = translatorOf(language)('passkeys.single');
      const answer = readPasskey(deps, ctx, params);
      const { id, cookie } = await addPasskey(
        deps,
        session,
        { ...answer, user_id: session.user_id, unnamed, by },
        now,
      );
      giveSession(ctx, deps.config, cookie);
      // The first factor: without recovery codes a lost device would be a lost account.
      const codes = await credentials.list(deps.db, session.user_id, 'recovery_code');
      if (codes.length === 0) return seeOther(ctx, `${base}/account/security/codes`);
      seeOther(
        ctx,
        `${deps.config.base}/account/passkeys/edit?${new URLSearchParams({ id, done: 'added' })}`,
      );
    },
    async (ctx, { session, now }, error) => {
      if (await requireFullProof(ctx, deps, session, { now })) await addForm(deps, ctx, session, error);
    },
  );
}

async function addForm(
  deps: NewPasskeyDeps,
  ctx: Context,
  session: LiveSession,
  error: UserError | null,
): Promise<void> {
  const passkey = await newPasskeyForm(deps, ctx, session);
  await renderAccount(deps, ctx, session, {
    view: 'account/new_passkey',
    title: 'passkeys.add',
    data: { passkey, error },
  });
}
