/**
 * Setting up a second factor in the middle of a sign-in, GET and POST /enrol: for a person who needs one and has none. It may be put off
 * for as long as SECOND_FACTOR_GRACE_SECONDS says. Hardening row 13.
 */
import type { Context, Middleware } from 'koa';
import { passkeyEnrolmentProof } from '../actions/passkeys.js';
import { abandonSignIn, proveFactor, putOffFactor } from '../actions/sign_in.js';
import { enrolmentProof, offerTotp } from '../actions/totp_enrolment.js';
import type { Deps } from '../deps.js';
import { seeOther } from '../http/answer.js';
import { productName } from '../http/brand.js';
import { parseNetworks } from '../http/client_address.js';
import { assertOwnForm, csrfToken } from '../http/csrf.js';
import {
  giveUp,
  goOn,
  type Interaction,
  readInteraction,
  requestQuery,
  shownClient,
} from '../http/interaction.js';
import { languageOf, languagesOf } from '../http/language.js';
import { newPasskeyForm, readPasskey } from '../http/passkey_form.js';
import { qrCode } from '../http/qr_code.js';
import { readForm, readQuery } from '../http/read.js';
import { render } from '../http/render.js';
import { currentSession } from '../http/session.js';
import { currentSignIn, giveCookies, goOnFrom, goToOwedStep, owedStep, takeSignIn } from '../http/sign_in.js';
import { submit } from '../http/submit.js';
import { signInVisit, visitOf } from '../http/visit.js';
import { translatorOf } from '../languages/translate.js';
import type { UserError } from '../oauth/errors.js';
import type { Params } from '../oauth/params.js';
import type { LiveSession } from '../store/sessions.js';
import type { LiveSignIn } from '../store/sign_ins.js';
import * as users from '../store/users.js';

type EnrolDeps = Pick<Deps, 'bell' | 'caches' | 'clientKeys' | 'clock' | 'config' | 'db' | 'keys' | 'log'>;

interface Enrolling {
  readonly interaction: Interaction | null;
  readonly session: LiveSession | null;
  readonly sign_in: LiveSignIn;
}

export function showEnrol(deps: EnrolDeps): Middleware {
  return async (ctx) => {
    const enrolling = await readEnrolling(deps, ctx, readQuery(ctx));
    if (enrolling !== null)
      await enrolForm(deps, ctx, enrolling, { sealed: undefined, name: '', error: null });
  };
}

export function postEnrol(deps: EnrolDeps): Middleware {
  const trusted = parseNetworks(deps.config.TRUSTED_PROXIES);
  return async (ctx) => {
    const now = deps.clock();
    const params = await readForm(ctx);
    const enrolling = await readEnrolling(deps, ctx, params);
    if (enrolling === null) return;
    const { interaction, session: current, sign_in } = enrolling;
    const typed = { sealed: params.get('sealed') ?? '', name: params.get('name') ?? '' };

    await submit(
      ctx,
      async () => {
        await assertOwnForm(deps, ctx, params, sign_in.id);
        const action = params.get('action');
        if (action === 'cancel' || action === 'restart') return leave(deps, ctx, enrolling, action);
        const here = { current, visit: await signInVisit(deps, ctx, trusted) };
        if (action === 'later') {
          const session = await putOffFactor(deps, sign_in, here, now);
          return goOnFrom(ctx, deps, { session, sign_in: null }, interaction);
        }
        const proof = await readProof(ctx, params, enrolling, typed);
        const session = await proveFactor(deps, sign_in, { proof, here }, now);
        await giveCookies(ctx, deps, session);
        const query = { after: 'sign_in', ...(interaction !== null && { request: interaction.sealed }) };
        seeOther(ctx, `${deps.config.base}/account/security/codes?${new URLSearchParams(query)}`);
      },
      (error) => enrolForm(deps, ctx, enrolling, { ...typed, error }),
    );
  };

  /** A passkey that the browser made, or a code of an app that holds the key of the form. */
  async function readProof(
    ctx: Context,
    params: Params,
    { interaction, sign_in }: Enrolling,
    typed: { readonly sealed: string; readonly name: string },
  ) {
    const now = deps.clock();
    const visit = visitOf(ctx, trusted);
    if (params.has('passkey')) {
      const language = languageOf(ctx, deps.config, interaction?.pending ?? null);
      const unnamed = translatorOf(language)('passkeys.single');
      const made = { ...readPasskey(deps, ctx, params), user_id: sign_in.user_id, unnamed };
      return passkeyEnrolmentProof(deps, { ...made, by: { visit, language } }, now);
    }
    const ring = await deps.keys.get();
    return enrolmentProof({ ...deps, ring }, { ...typed, code: params.get('code') ?? '', visit }, now);
  }
}

/** Null where there is nothing to set up, and the browser was sent to where it goes on. */
async function readEnrolling(deps: EnrolDeps, ctx: Context, params: Params): Promise<Enrolling | null> {
  const now = deps.clock();
  const interaction = await readInteraction(deps, ctx, params, now);
  const session = await currentSession(deps, ctx, now);
  const sign_in = await currentSignIn(deps, ctx, session, now);
  if (sign_in?.session_id === null) {
    if ((await owedStep(deps, sign_in)) === 'enrol') return { interaction, session, sign_in };
    await goToOwedStep(ctx, deps, sign_in, interaction);
  } else if (interaction !== null) goOn(ctx, deps, interaction);
  else seeOther(ctx, `${deps.config.base}${session === null ? '/login' : '/'}`);
  return null;
}

async function leave(
  deps: EnrolDeps,
  ctx: Context,
  { interaction, sign_in }: Enrolling,
  action: 'cancel' | 'restart',
): Promise<void> {
  await abandonSignIn(deps, sign_in);
  takeSignIn(ctx, deps.config);
  if (action === 'cancel' && interaction !== null) return giveUp(ctx, deps, interaction);
  return seeOther(ctx, `${deps.config.base}/login${requestQuery(interaction)}`);
}

async function enrolForm(
  deps: EnrolDeps,
  ctx: Context,
  { interaction, sign_in }: Enrolling,
  { sealed, name, error }: { sealed: string | undefined; name: string; error: UserError | null },
): Promise<void> {
  const now = deps.clock();
  const { user_id, email } = sign_in;
  const who = { user_id, email, product: productName(ctx, deps.config) };
  const offer = offerTotp(await deps.keys.get(), who, sealed, now);
  const user = await users.find(deps.db, user_id);
  const due_at = user?.factor_due_at ?? 0;
  render(ctx, deps.config, {
    view: 'enrol',
    title: 'factor.enrol',
    pending: interaction?.pending ?? null,
    data: {
      csrf: await csrfToken(deps, ctx, sign_in.id),
      request: interaction?.sealed ?? null,
      client:
        interaction &&
        shownClient(interaction.client, deps.config.base, languagesOf(ctx, deps.config, interaction.pending)),
      person: { name: sign_in.name, email },
      ...{ sealed: offer.sealed, secret: offer.secret, qr: await qrCode(offer.uri), name, error },
      passkey: await newPasskeyForm(deps, ctx, sign_in),
      later: due_at > now ? { until: due_at, zone: user?.zoneinfo ?? undefined } : null,
      can_cancel: interaction !== null,
    },
  });
}
