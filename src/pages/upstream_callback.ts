/**
 * GET /upstream/:id/callback: a browser is back from another provider, with a code or with an error. OpenID Connect Core §3.1.2.5; RFC
 * 6749 §4.1.2. Whatever is wrong with the answer, nobody is signed in by it, and a page says how to go on. Hardening rows 9, 10, 13, 34.
 */
import type { RouterContext } from '@koa/router';
import type { Context } from 'koa';
import { confirmFederated, connectIdentity } from '../actions/federated_identities.js';
import { signInFederated } from '../actions/federated_sign_in.js';
import type { Deps } from '../deps.js';
import { seeOther } from '../http/answer.js';
import { knownBrowser } from '../http/browser.js';
import { parseNetworks } from '../http/client_address.js';
import { type Interaction, interactionOf, requestQuery } from '../http/interaction.js';
import { goOnHere, type PendingAuthorization } from '../http/pending.js';
import { readQuery } from '../http/read.js';
import { backFromConfirm } from '../http/recent_proof.js';
import { currentSession, giveSession } from '../http/session.js';
import { goOnAfter, goOnFrom } from '../http/sign_in.js';
import { backOf, findProvider, keepConnection, showProblem } from '../http/upstream.js';
import { signInVisit } from '../http/visit.js';
import type { SignInVisit } from '../mail/new_device.js';
import { digest } from '../secrets.js';
import type { IdentityProviderRow } from '../store/identity_providers.js';
import type { LiveSession } from '../store/sessions.js';
import { labelOf } from '../upstream/connection.js';
import { UpstreamError } from '../upstream/errors.js';
import { type Arrival, redeem } from '../upstream/exchange.js';
import { openTransaction, type Transaction } from '../upstream/transaction.js';

type CallbackDeps = Pick<Deps, 'bell' | 'caches' | 'clock' | 'config' | 'db' | 'keys' | 'log' | 'upstream'>;

/** An answer that came back to the browser that set out. */
interface Answer {
  readonly provider: IdentityProviderRow;
  readonly transaction: Transaction;
  readonly state: string;
  readonly interaction: Interaction | null;
  readonly session: LiveSession | null;
  readonly visit: SignInVisit;
  readonly now: number;
}

export function upstreamCallback(deps: CallbackDeps): (ctx: RouterContext) => Promise<void> {
  const trusted = parseNetworks(deps.config.TRUSTED_PROXIES);
  return async (ctx) => {
    const now = deps.clock();
    const visit = await signInVisit(deps, ctx, trusted);
    const provider = await findProvider(deps, ctx.params.id);
    const opened = await openAnswer(deps, ctx, { provider, visit, now }).catch((error: unknown) =>
      showProblem(deps, ctx, error, { provider, back: `${deps.config.base}/login` }),
    );
    if (opened === undefined) return;
    await goBack(deps, ctx, opened).catch((error: unknown) =>
      showProblem(deps, ctx, error, { provider, back: tryAgain(deps, opened) }),
    );
  };
}

/** Throws UpstreamError `unknown`. */
async function openAnswer(
  deps: CallbackDeps,
  ctx: Context,
  { provider, visit, now }: Pick<Answer, 'provider' | 'visit' | 'now'>,
): Promise<Answer> {
  const state = readQuery(ctx).get('state') ?? '';
  const browser = knownBrowser(ctx, deps.config) ?? '';
  const transaction = openTransaction(await deps.keys.get(), state, { browser, now });
  if (transaction.provider_id !== provider.id)
    throw new UpstreamError('unknown', 'the state was given for another provider'); // a mix-up (RFC 9700 §4.4)
  const { purpose } = transaction;
  const pending = purpose.for === 'sign_in' ? (purpose.request as PendingAuthorization | null) : null; // setOutToSignIn put it there
  const interaction = pending && (await interactionOf(deps, goOnHere(pending, { browser, now })));
  const session = await currentSession(deps, ctx, now);
  return { provider, transaction, state, interaction, session, visit, now };
}

async function goBack(deps: CallbackDeps, ctx: Context, answer: Answer): Promise<void> {
  const { provider, transaction, state, session, interaction, visit, now } = answer;
  const { purpose } = transaction;
  if (!deps.upstream.isFirst(digest(state))) {
    // Back, or a reload. Whoever is signed in by now goes on as who they are.
    if (session !== null && purpose.for === 'sign_in') return goOnAfter(ctx, deps, interaction);
    throw new UpstreamError('unknown', 'the answer was used before');
  }
  const arrival = await redeem(
    deps,
    provider,
    { url: new URL(ctx.url, deps.config.ISSUER), transaction, state },
    now,
  );
  if (purpose.for === 'connect')
    return connect(deps, ctx, arrival, { ...answer, session_id: purpose.session_id });
  if (purpose.for === 'confirm') return confirm(deps, ctx, arrival, { ...answer, ...purpose });

  const here = {
    current: session,
    request_id: interaction?.pending.id ?? null,
    visit,
  };
  const { begun, connection } = await signInFederated(deps, arrival, here, now);
  if (begun !== null) return goOnFrom(ctx, deps, begun, interaction);
  await keepConnection(deps, ctx, connection);
  seeOther(ctx, `${deps.config.base}/upstream/connect${requestQuery(interaction)}`);
}

/** The person of the session that set out connects the account there: both are proved in this browser. */
async function connect(
  deps: CallbackDeps,
  ctx: Context,
  { subject, profile }: Arrival,
  {
    provider,
    session,
    session_id,
    visit: { user_agent, address },
    now,
  }: Answer & { readonly session_id: string },
): Promise<void> {
  if (session?.id !== session_id) throw new UpstreamError('unknown', 'the session that set out is over');
  const { user_id, proven_at } = session;
  const label = labelOf(await profile());
  const connection = { provider_id: provider.id, subject, label, user_id, made_at: proven_at };
  await connectIdentity(deps, session, { connection, visit: { user_agent, address } }, now);
  seeOther(ctx, `${deps.config.base}/account/providers?done=connected`);
}

/** The person of the session that set out proved there once more who they are. */
async function confirm(
  deps: CallbackDeps,
  ctx: Context,
  arrival: Arrival,
  { session, session_id, to, now }: Answer & { readonly session_id: string; readonly to: string },
): Promise<void> {
  if (session?.id !== session_id) throw new UpstreamError('unknown', 'the session that set out is over');
  const { cookie } = await confirmFederated(deps, session, arrival, now);
  giveSession(ctx, deps.config, cookie);
  seeOther(ctx, backFromConfirm(deps.config, to));
}

function tryAgain(deps: CallbackDeps, { transaction: { purpose }, interaction }: Answer): string {
  const { base } = deps.config;
  if (purpose.for === 'connect') return `${base}/account/providers`;
  if (purpose.for === 'confirm') return `${base}/confirm?${new URLSearchParams({ to: purpose.to })}`;
  return backOf(deps, interaction);
}
