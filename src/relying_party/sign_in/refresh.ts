/**
 * Replaces an access token that is about to expire. Requests at the same time share one refresh: within a process by one promise
 * for each session, across processes by a turn that one of them takes, since many a provider ends a family whose token comes twice. Only
 * the provider's own word ends a session, `invalid_grant` or an ID token of another person; a fault of the network does not. RFC 6749 §6;
 * OpenID Connect Core §12.
 */
import { setTimeout as pause } from 'node:timers/promises';
import * as oidc from 'openid-client';
import { createRecentMap } from '../recent_map.js';
import { SignInError } from './errors.js';
import { asSignInError, type Provider } from './provider.js';
import { contentOf, loadSession, type Session, sealContent } from './session.js';
import type { Settings } from './settings.js';

/** After a fault of the provider nobody waits for it again for so long; after an answer about one session, that one. Seconds. */
const rest_seconds = 5;
/** Sessions that are remembered for that. One that is forgotten asks sooner. */
const most_resting = 10_000;
/** How long another process that redeemed the same token may take to store the new one, milliseconds. */
const other_process_ms = 250;
/** How often a process that waits for another one looks, milliseconds. */
const look_ms = 50;

/** The session as it is now: with a fresh access token where one was due and could be had. Null where it has ended. */
export type Refresher = (session: Session) => Promise<Session | null>;

export function createRefresher(settings: Settings, provider: Provider): Refresher {
  const running = new Map<string, Promise<Session | null>>();
  const resting_until = createRecentMap<number>(most_resting);
  const rests = (who: string) => settings.clock() < (resting_until.get(who) ?? 0);
  const rest = (who: string) => resting_until.set(who, settings.clock() + rest_seconds);
  const takeTurn = createTurns(settings);

  async function refreshOnce(id: string): Promise<Session | null> {
    const fault = await faultOf(provider); // before the turn, which is for redeeming alone
    const session = await loadSession(settings, id); // a refresh may have ended since the caller read it
    if (session === null || !isDue(session, settings)) return session;
    if (fault !== null) return give(session, fault);
    if (!(await takeTurn(session))) {
      const found = await awaitOther(settings, session);
      if (found === session) rest(id);
      return found;
    }
    const mine = await loadSession(settings, id); // the turn of who replaced it since may have been over already
    if (mine?.stored.version !== session.stored.version) return mine;
    const outcome = await redeemOnce(settings, provider, mine);
    return outcome instanceof SignInError ? give(mine, outcome) : outcome;
  }

  /** The session as it was, after a fault that says nothing about it. */
  function give(session: Session, fault: SignInError): Session {
    rest(isOfProvider(fault) ? everybody : session.id);
    settings.onError(fault);
    return session;
  }

  return async (session) => {
    if (!isDue(session, settings) || rests(everybody) || rests(session.id)) return session;
    const shared = running.get(session.id);
    if (shared !== undefined) return shared;
    const refresh = refreshOnce(session.id).finally(() => running.delete(session.id));
    running.set(session.id, refresh);
    return refresh;
  };
}

/** Gives each version of a session's tokens to one process to redeem, for as long as the provider may take. */
function createTurns({ sessions, clock, timeout_seconds }: Settings) {
  const own = createRecentMap<{ readonly version: number; readonly until: number }>(most_resting);
  return async ({ id, stored: { digest, version } }: Session): Promise<boolean> => {
    const now = clock();
    const turn = own.get(id);
    if (turn?.version === version && now < turn.until) return true; // it failed, and is tried again
    const until = now + Math.ceil(timeout_seconds) + 1; // clocks count whole seconds
    if (!(await sessions.claim(`refresh ${digest} ${version}`, until, now))) return false;
    own.set(id, { version, until });
    return true;
  };
}

/** The session once another process has replaced its tokens; the same as before where these are good still, or that takes too long. */
async function awaitOther(settings: Settings, session: Session): Promise<Session | null> {
  const { clock, timeout_seconds } = settings;
  if ((session.content.access_token_expires_at ?? 0) > clock()) return session;
  const ends_at = performance.now() + timeout_seconds * 1000;
  while (performance.now() < ends_at) {
    await pause(look_ms);
    const now = await loadSession(settings, session.id);
    if (now?.stored.version !== session.stored.version) return now;
  }
  return session;
}

/** Null where the provider is there, and its keys are at hand: an answer that could not be checked would be a token that is lost. */
async function faultOf(provider: Provider): Promise<SignInError | null> {
  try {
    await (await provider()).ready();
    return null;
  } catch (error) {
    return asSignInError(error);
  }
}

/** Whether the provider as a whole is out of order. RFC 6749 §4.1.2.1 has the codes. */
function isOfProvider({ code, error }: SignInError): boolean {
  return code === 'provider_unreachable' || error === 'temporarily_unavailable' || error === 'server_error';
}

/** In the place of a session's id: ids are random. */
const everybody = '';

function isDue({ content }: Session, { clock, refresh_early_seconds }: Settings): boolean {
  const { access_token_expires_at, access_token_seconds, refresh_token } = content;
  if (access_token_expires_at === null || refresh_token === null) return false;
  // One that lives no longer than that would be replaced at each request.
  const early_seconds = Math.min(refresh_early_seconds, (access_token_seconds ?? Infinity) / 2);
  return access_token_expires_at - early_seconds <= clock();
}

/** What became of a session; a fault that says nothing about it. */
async function redeemOnce(
  settings: Settings,
  provider: Provider,
  session: Session,
): Promise<Session | null | SignInError> {
  const { id, stored, content } = session;
  const answer = await redeem(settings, provider, content.refresh_token ?? '').catch(asSignInError);
  if (answer instanceof SignInError) {
    return answer.error === 'invalid_grant' ? endUnlessReplaced(settings, session, answer) : answer;
  }
  const claims = answer.claims() ?? content.claims;
  if (claims.sub !== stored.sub) return endUnlessReplaced(settings, session, otherPerson()); // Core §12.2
  const sealed = sealContent(id, contentOf(answer, claims, settings, content));
  await settings.sessions.replace(stored.digest, stored.version, sealed);
  // Read again: perhaps another process was faster, and its tokens are as good, or the person signed out meanwhile.
  return loadSession(settings, id);
}

async function redeem(settings: Settings, provider: Provider, refresh_token: string) {
  const { configuration } = await provider();
  const { resource } = settings;
  return oidc.refreshTokenGrant(configuration, refresh_token, resource === undefined ? {} : { resource });
}

/**
 * A refused token may be one that another process has just replaced, at a provider that answers a successor once only: the store
 * is asked again before the session ends.
 */
async function endUnlessReplaced(
  settings: Settings,
  { id, stored }: Session,
  error: SignInError,
): Promise<Session | null> {
  for (const wait of [0, other_process_ms]) {
    if (wait > 0) await pause(wait);
    const now = await loadSession(settings, id);
    if (now?.stored.version !== stored.version) return now;
  }
  if (!(await settings.sessions.remove(stored.digest, stored.version))) return loadSession(settings, id);
  settings.onError(error);
  return null;
}

function otherPerson(): SignInError {
  return new SignInError('answer_invalid', 'The ID token of a refresh is of another person.');
}
