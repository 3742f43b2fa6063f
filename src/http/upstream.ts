/** The ways to other providers and back, as the pages see them: who can be chosen, setting out, and what waits in the browser meanwhile. */
import type { Context } from 'koa';
import type { Deps } from '../deps.js';
import type { Key } from '../languages/keys.js';
import type { Message } from '../languages/translate.js';
import { UserError } from '../oauth/errors.js';
import type { Params } from '../oauth/params.js';
import { scopeWords } from '../oauth/scope.js';
import * as credentials from '../store/credentials.js';
import * as federatedIdentities from '../store/federated_identities.js';
import type { IdentityProviderRow } from '../store/identity_providers.js';
import * as secondFactors from '../store/second_factors.js';
import * as users from '../store/users.js';
import { type Connection, openConnection, sealConnection } from '../upstream/connection.js';
import { UpstreamError, type UpstreamProblem, upstreamProblems } from '../upstream/errors.js';
import { authorizationUrl } from '../upstream/exchange.js';
import { begin, type Purpose, sealTransaction } from '../upstream/transaction.js';
import { seeOther } from './answer.js';
import { browserOf, knownBrowser } from './browser.js';
import { readCookie, setCookie } from './cookies.js';
import type { Interaction } from './interaction.js';
import { render } from './render.js';

type Provider = IdentityProviderRow;

/** A provider as pages name it. */
export interface ShownProvider {
  readonly id: string;
  readonly name: string;
}

export function shownProvider({ id, display_name }: Pick<Provider, 'id' | 'display_name'>): ShownProvider {
  return { id, name: display_name };
}

/** The providers that people can sign in with now. */
export async function offeredProviders(deps: Pick<Deps, 'caches'>): Promise<readonly ShownProvider[]> {
  return (await deps.caches.identityProviders()).map(shownProvider);
}

/**
 * Those by which a person proves again who they are. A server of OAuth 2.0 alone cannot tell that it asked anybody: whoever finds a browser
 * unattended would come back from it at once. So it counts for those alone who have nothing else.
 */
export async function confirmingProviders(
  { caches, db }: Pick<Deps, 'caches' | 'db'>,
  user_id: string,
): Promise<readonly ShownProvider[]> {
  const offered = await caches.identityProviders();
  if (offered.length === 0) return [];
  const identities = await federatedIdentities.listByUser(db, user_id);
  const own = offered.filter(({ id }) => identities.some(({ provider_id }) => provider_id === id));
  const more =
    (await credentials.find(db, user_id, 'password')) !== undefined ||
    (await secondFactors.list(db, user_id)).length > 0 ||
    own.some(({ kind }) => kind === 'oidc');
  return own.filter(({ kind }) => kind === 'oidc' || !more).map(shownProvider);
}

/** One of them by its id. Throws UserError `not_found`. */
export async function findProvider(deps: Pick<Deps, 'caches'>, id: string | undefined): Promise<Provider> {
  const provider = (await deps.caches.identityProviders()).find((one) => one.id === id);
  if (provider === undefined) throw new UserError('not_found', 'upstream.no_provider');
  return provider;
}

/**
 * The provider that somebody chose on the login page: by its button, or by an address of its without a password. Whoever types a password
 * means the one here. Throws UserError `not_found`.
 */
export async function chosenProvider(
  deps: Pick<Deps, 'caches'>,
  params: Params,
): Promise<Provider | undefined> {
  const chosen = params.get('provider');
  if (chosen !== undefined) return findProvider(deps, chosen);
  const email = params.get('email');
  return email === undefined || params.has('password') ? undefined : homeOf(deps, email);
}

/** The provider that addresses of this domain belong to: by the domain alone, whoever has an account here (hardening row 16). */
async function homeOf(deps: Pick<Deps, 'caches'>, email: string): Promise<Provider | undefined> {
  const canonical = users.canonicalEmail(email);
  const domain = canonical.slice(canonical.lastIndexOf('@') + 1);
  const belongs = ({ mail_domains }: Provider) => scopeWords(mail_domains).includes(domain);
  return canonical.includes('@') ? (await deps.caches.identityProviders()).find(belongs) : undefined;
}

/** Whether any address belongs to a provider: then a form goes without a password. */
export async function knowsHomes(deps: Pick<Deps, 'caches'>): Promise<boolean> {
  return (await deps.caches.identityProviders()).some(({ mail_domains }) => mail_domains !== '');
}

type SetOutDeps = Pick<Deps, 'clock' | 'config' | 'keys' | 'log' | 'upstream'>;

export interface SettingOut {
  readonly purpose: Purpose;
  /** Whether the person is to prove there anew who they are. */
  readonly again: boolean;
  readonly login_hint: string | null;
}

/** Sends the browser to a provider. Throws UpstreamError where it cannot be found, or the way is too long. */
export async function setOut(
  deps: SetOutDeps,
  ctx: Context,
  provider: Provider,
  { purpose, again, login_hint }: SettingOut,
): Promise<void> {
  const now = deps.clock();
  const transaction = begin({ provider_id: provider.id, started_at: now, again, purpose });
  const state = sealTransaction(await deps.keys.get(), browserOf(ctx, deps.config), transaction);
  ctx.set('Referrer-Policy', 'no-referrer');
  seeOther(ctx, await authorizationUrl(deps, provider, { transaction, state, login_hint }, now));
}

/** Sends the browser to a provider to sign in for a request, or for none; a page says so where that cannot be. */
export async function setOutToSignIn(
  deps: SetOutDeps,
  ctx: Context,
  provider: Provider,
  { interaction, email }: { readonly interaction: Interaction | null; readonly email: string },
): Promise<void> {
  const request = interaction?.pending ?? null;
  const asked = request?.request;
  const again = asked !== undefined && (asked.prompt.includes('login') || asked.max_age !== null);
  const hint = email.includes('@') ? email.trim() : (asked?.login_hint ?? null);
  await setOut(deps, ctx, provider, { purpose: { for: 'sign_in', request }, again, login_hint: hint }).catch(
    (error: unknown) => showProblem(deps, ctx, error, { provider, back: backOf(deps, interaction) }),
  );
}

/** Where somebody who was not signed in tries again: at the application’s request, or at the login page. */
export function backOf({ config }: Pick<Deps, 'config'>, interaction: Interaction | null): string {
  return interaction === null
    ? `${config.base}/login`
    : `${config.base}/authorize/resume?request=${interaction.sealed}`;
}

const sentences: Readonly<Record<UpstreamProblem, Key>> = {
  unknown: 'upstream.problem_unknown',
  cancelled: 'upstream.problem_cancelled',
  refused: 'upstream.problem_refused',
  invalid: 'upstream.problem_invalid',
  unreachable: 'upstream.problem_unreachable',
  not_fresh: 'upstream.problem_not_fresh',
  too_long: 'upstream.problem_too_long',
};

/** The page of what went wrong on the way, with a way back. The log has the reasons, and nothing that was sent. Throws any other error. */
export function showProblem(
  { config, log }: Pick<Deps, 'config' | 'log'>,
  ctx: Context,
  error: unknown,
  { provider, back }: { readonly provider: Provider; readonly back: string },
): void {
  const told = error instanceof UserError ? error : null;
  if (told === null && !(error instanceof UpstreamError)) throw error;
  const problem = error instanceof UpstreamError ? error.problem : null;
  const fields = { event: 'upstream_failed', provider_id: provider.id, problem, reason: reasonOf(error) };
  log.info(fields, 'nobody was signed in by a provider');
  const name = provider.display_name;
  render(ctx, config, {
    view: 'upstream_problem',
    title: { key: 'upstream.problem_title', values: { provider: name } },
    status: problem === null ? (told?.status ?? 400) : upstreamProblems[problem],
    data: {
      message: problem === null ? told : { key: sentences[problem], values: { provider: name } },
      retry: back,
    },
  });
  if (problem === 'unreachable') ctx.set('Retry-After', '30');
}

/** What an error and its causes say, the first two hundred characters of each. */
function reasonOf(error: unknown): string {
  const messages: string[] = [];
  for (let one = error; one instanceof Error && messages.length < 4; one = one.cause)
    messages.push(one.message.slice(0, 200));
  return messages.join(': ');
}

type WaitDeps = Pick<Deps, 'config' | 'keys'>;

/** Has a connection wait in the browser until the person has signed in here. */
export async function keepConnection(deps: WaitDeps, ctx: Context, connection: Connection): Promise<void> {
  const sealed = sealConnection(await deps.keys.get(), browserOf(ctx, deps.config), connection);
  setCookie(ctx, deps.config, 'connection', sealed, connection.lives_seconds);
}

/** The connection that waits in this browser; null where there is none. */
export async function waitingConnection(
  deps: WaitDeps,
  ctx: Context,
  now: number,
): Promise<Connection | null> {
  const sealed = readCookie(ctx, deps.config, 'connection');
  const browser = knownBrowser(ctx, deps.config);
  if (sealed === undefined || browser === null) return null;
  return openConnection(await deps.keys.get(), sealed, { browser, now });
}

/** What the login page says of it: whoever signs in is to know whose account waits. */
export async function waitingNotice(
  deps: WaitDeps & Pick<Deps, 'caches'>,
  ctx: Context,
  now: number,
): Promise<Message | null> {
  const connection = await waitingConnection(deps, ctx, now);
  const offered = connection === null ? [] : await offeredProviders(deps);
  const provider = offered.find(({ id }) => id === connection?.provider_id)?.name;
  if (connection === null || provider === undefined) return null;
  return { key: 'upstream.waiting', values: { provider, account: connection.label ?? connection.subject } };
}

export function dropConnection(ctx: Context, config: Deps['config']): void {
  if (readCookie(ctx, config, 'connection') !== undefined) setCookie(ctx, config, 'connection', '', 0);
}
