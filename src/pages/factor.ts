/**
 * The second factor, GET and POST /factor: for a sign-in that owes one, and for a session that a request, or a page of the account (`to`),
 * wants to be stronger. Which way is used, a link chooses. Hardening rows 9, 13 and 14.
 */
import type { Context, Middleware } from 'koa';
import { sendEmailCode } from '../actions/email_code.js';
import {
  emailCodeProof,
  passkeyProof,
  typedProof,
  type Way,
  wayAmr,
  waysOf,
} from '../actions/factor_proofs.js';
import { provePasskey } from '../actions/passkey_proof.js';
import { abandonSignIn, beginStepUp, proveFactor } from '../actions/sign_in.js';
import type { Deps } from '../deps.js';
import { seeOther } from '../http/answer.js';
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
import { ownPasskeyForm, readPasskey } from '../http/passkey_form.js';
import { readForm, readQuery } from '../http/read.js';
import { backFromConfirm, provedTwoFactors } from '../http/recent_proof.js';
import { render } from '../http/render.js';
import { currentSession } from '../http/session.js';
import {
  currentSignIn,
  giveCookies,
  giveSignIn,
  goOnFrom,
  goToOwedStep,
  owedStep,
  takeSignIn,
} from '../http/sign_in.js';
import { submit } from '../http/submit.js';
import { signInVisit } from '../http/visit.js';
import type { Key } from '../languages/keys.js';
import { sourceOf } from '../limits/attempts.js';
import { acrOf, acrsOf, metBy, withFactor } from '../oauth/acr.js';
import { UserError } from '../oauth/errors.js';
import type { Params } from '../oauth/params.js';
import type { Visit } from '../store/events.js';
import type { LiveSession } from '../store/sessions.js';
import type { LiveSignIn } from '../store/sign_ins.js';

type FactorDeps = Pick<Deps, 'bell' | 'caches' | 'clientKeys' | 'clock' | 'config' | 'db' | 'keys' | 'log'>;

/** Whose factor is asked, in which request. */
interface Asked {
  readonly interaction: Interaction | null;
  /** The page of the account that wants it; null for none. */
  readonly to: string | null;
  readonly session: LiveSession | null;
  readonly sign_in: LiveSignIn | null;
  /** Whom it is asked of: what the sign-in says or, for a stronger session, that. */
  readonly person: Pick<LiveSession, 'user_id' | 'amr' | 'email' | 'name'>;
  readonly ways: readonly Way[];
  readonly way: Way;
}

export function showFactor(deps: FactorDeps): Middleware {
  return async (ctx) => {
    const asked = await readAsked(deps, ctx, readQuery(ctx));
    if (asked !== null) await factorForm(deps, ctx, asked, null);
  };
}

export function postFactor(deps: FactorDeps): Middleware {
  const trusted = parseNetworks(deps.config.TRUSTED_PROXIES);
  return async (ctx) => {
    const now = deps.clock();
    const params = await readForm(ctx);
    const asked = await readAsked(deps, ctx, params);
    if (asked === null) return;

    await submit(
      ctx,
      async () => {
        await assertOwnForm(deps, ctx, params, boundTo(asked));
        const action = params.get('action');
        if (action === 'cancel' || action === 'restart') return leave(deps, ctx, asked, action);
        const remember = params.get('remember') === 'yes';
        if (action === 'send') return sendCode(deps, ctx, asked, now);
        const here = { current: asked.session, visit: await signInVisit(deps, ctx, trusted), remember };
        const proof = await readProof(ctx, params, asked, here.visit);
        const sign_in = asked.sign_in ?? (await stepUp(deps, ctx, asked, now));
        const session = await proveFactor(deps, sign_in, { proof, here }, now);
        if (asked.to === null) return goOnFrom(ctx, deps, { session, sign_in: null }, asked.interaction);
        await giveCookies(ctx, deps, session);
        seeOther(ctx, backFromConfirm(deps.config, asked.to));
      },
      (error) => factorForm(deps, ctx, asked, error),
    );
  };

  async function readProof(ctx: Context, params: Params, { way, person }: Asked, visit: Visit) {
    const now = deps.clock();
    if (way === 'passkey') {
      const source = sourceOf(visit.address);
      const answer = { ...readPasskey(deps, ctx, params), source, user_id: person.user_id };
      return passkeyProof(deps.config, await provePasskey(deps, answer, now), now);
    }
    const code = params.get('code');
    if (code === undefined) throw new UserError('invalid_input', 'factor.code_missing', 'code');
    const ring = await deps.keys.get();
    if (way === 'email_code') return emailCodeProof(code, { ring, config: deps.config, now });
    return typedProof(way, code, { ring, config: deps.config, visit, now });
  }
}

/** What is asked; null where nothing is, and the browser was sent to where it goes on: a page that was left open is no dead end. */
async function readAsked(deps: FactorDeps, ctx: Context, params: Params): Promise<Asked | null> {
  const now = deps.clock();
  const interaction = await readInteraction(deps, ctx, params, now);
  const session = await currentSession(deps, ctx, now);
  const to = interaction === null && session !== null ? (params.get('to') ?? null) : null;
  const begun = await currentSignIn(deps, ctx, session, now);
  // Whoever comes from their account proves it in that session, whatever else was begun in this browser.
  const sign_in = to !== null && begun?.session_id === null ? null : begun;
  const person = sign_in ?? (interaction === null && to === null ? null : session);
  const open = person === null ? [] : await waysOf(deps, person.user_id);
  const stronger = interaction !== null && sign_in?.session_id !== null && person !== null;
  const ways = stronger ? fitting(open, person, interaction) : open;
  const [first] = ways;
  const there = to !== null && session !== null && provedTwoFactors(session);
  if (person === null || first === undefined || there) {
    if (to !== null) seeOther(ctx, backFromConfirm(deps.config, to));
    else if (sign_in?.session_id === null && (await owedStep(deps, sign_in)) === 'enrol')
      await goToOwedStep(ctx, deps, sign_in, interaction);
    else if (interaction !== null) goOn(ctx, deps, interaction);
    else seeOther(ctx, `${deps.config.base}${session === null ? '/login' : '/'}`);
    return null;
  }
  const way = ways.find((one) => one === params.get('way')) ?? first;
  return { interaction, to, session, sign_in, person, ways, way };
}

/** The ways that lead to what a request asks of a session; all of them where it asks for nothing. */
function fitting(
  ways: readonly Way[],
  { amr }: Pick<LiveSession, 'amr'>,
  { pending }: Interaction,
): readonly Way[] {
  const { required, wanted } = acrsOf(pending.request);
  const asked = required ?? wanted;
  const leadsTo = (way: Way) => metBy(acrOf(withFactor(amr.split(' '), wayAmr[way])));
  return asked.length === 0 ? ways : ways.filter((way) => leadsTo(way).some((acr) => asked.includes(acr)));
}

/** The sign-in that makes a session stronger: its attempts are counted. */
async function stepUp(
  deps: FactorDeps,
  ctx: Context,
  { session, interaction }: Asked,
  now: number,
): Promise<LiveSignIn> {
  if (session === null) throw new UserError('form_expired', 'factor.over');
  const begun = await beginStepUp(deps.db, session, interaction?.pending.id ?? null, now);
  giveSignIn(ctx, deps.config, begun.cookie);
  return begun.sign_in;
}

/** Sends a code by mail, and goes back to the page, which then has a field for it. */
async function sendCode(deps: FactorDeps, ctx: Context, asked: Asked, now: number): Promise<void> {
  const { interaction, to, way } = asked;
  if (way !== 'email_code') throw new UserError('not_allowed', 'factor.no_email_code');
  const sign_in = asked.sign_in ?? (await stepUp(deps, ctx, asked, now));
  const language = languageOf(ctx, deps.config, interaction?.pending ?? null);
  await sendEmailCode(deps, sign_in, language, now);
  const request = interaction?.sealed ?? null;
  const query = { way, ...(request !== null && { request }), ...(to !== null && { to }) };
  seeOther(ctx, `${deps.config.base}/factor?${new URLSearchParams(query)}`);
}

/** Back to the application without an answer, or to the account, or to the beginning of the sign-in. */
async function leave(
  deps: FactorDeps,
  ctx: Context,
  { interaction, to, sign_in }: Asked,
  action: 'cancel' | 'restart',
): Promise<void> {
  if (sign_in !== null) await abandonSignIn(deps, sign_in);
  takeSignIn(ctx, deps.config);
  if (action === 'cancel' && interaction !== null) return giveUp(ctx, deps, interaction);
  if (to !== null) return seeOther(ctx, `${deps.config.base}/account/security`);
  return seeOther(ctx, `${deps.config.base}/login${requestQuery(interaction)}`);
}

/** What the page says of each way. */
const texts = {
  passkey: { link: 'passkeys.use', hint: 'passkeys.way_hint', label: 'passkeys.use' },
  totp: { link: 'factor.use_totp', hint: 'factor.totp_hint', label: 'factor.totp_label' },
  recovery_code: {
    link: 'factor.use_recovery_code',
    hint: 'factor.recovery_hint',
    label: 'factor.recovery_label',
  },
  email_code: {
    link: 'factor.send_code',
    hint: 'factor.email_code_hint',
    label: 'factor.email_code_label',
  },
} as const satisfies Record<Way, Record<string, Key>>;

/** Whether a code was sent that is still good. */
function isGood(sign_in: LiveSignIn | null, now: number): boolean {
  return (sign_in?.email_code_expires_at ?? 0) > now;
}

/** What the form's token is bound to: the same before and after a step-up has begun. */
function boundTo({ session, sign_in }: Asked): string | null {
  return session?.id ?? sign_in?.id ?? null;
}

async function factorForm(
  deps: FactorDeps,
  ctx: Context,
  asked: Asked,
  error: UserError | null,
): Promise<void> {
  const { interaction, to, sign_in, person, ways, way } = asked;
  const request = interaction?.sealed ?? null;
  const carried = { ...(request !== null && { request }), ...(to !== null && { to }) };
  const linkTo = (other: Way) =>
    `${deps.config.base}/factor?${new URLSearchParams({ way: other, ...carried })}`;
  render(ctx, deps.config, {
    view: 'factor',
    title: 'confirm.title',
    pending: interaction?.pending ?? null,
    data: {
      csrf: await csrfToken(deps, ctx, boundTo(asked)),
      ...{ request, to },
      client:
        interaction &&
        shownClient(interaction.client, deps.config.base, languagesOf(ctx, deps.config, interaction.pending)),
      person: { name: person.name, email: person.email },
      way,
      texts: texts[way],
      sent: way === 'email_code' ? isGood(sign_in, deps.clock()) : null,
      others: ways
        .filter((other) => other !== way)
        .map((other) => ({ text: texts[other].link, href: linkTo(other) })),
      error,
      can_cancel: interaction !== null || to !== null,
      can_restart: sign_in?.session_id === null,
      passkey: way === 'passkey' ? await ownPasskeyForm(deps, ctx, person.user_id) : null,
      remember_days:
        sign_in?.session_id === null ? Math.floor(deps.config.REMEMBER_DEVICE_SECONDS / 86_400) : 0,
    },
  });
}
