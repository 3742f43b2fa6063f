/** How far an authorization request has come: everything that nextStep looks at, read from where it is. */
import type { Deps } from '../deps.js';
import { countsAsFactor } from '../factors/email_code.js';
import { acrsOf, metBy } from '../oauth/acr.js';
import { consentEachTime, wordsToApprove } from '../oauth/authorization.js';
import { requiredSubs } from '../oauth/claims_request.js';
import type { Progress } from '../oauth/next_step.js';
import type { Client } from '../store/clients.js';
import * as consents from '../store/consents.js';
import * as secondFactors from '../store/second_factors.js';
import type { LiveSession } from '../store/sessions.js';
import type { LiveSignIn } from '../store/sign_ins.js';
import { subjectOf } from '../tokens/subject.js';
import type { PendingAuthorization } from './pending.js';
import { owedStep } from './sign_in.js';

type ProgressDeps = Pick<Deps, 'caches' | 'config' | 'db' | 'keys'>;

/** Who sits at the browser. */
export interface Present {
  readonly session: LiveSession | null;
  readonly sign_in: LiveSignIn | null;
}

export async function progressOf(
  deps: ProgressDeps,
  client: Client,
  pending: PendingAuthorization,
  { session, sign_in }: Present,
): Promise<Progress> {
  const { request, id, arrived_at } = pending;
  const each_time = consentEachTime(client, request.redirect_uri);
  const unasked =
    session === null || (client.first_party && !each_time && !request.prompt.includes('consent'));
  const given = unasked ? undefined : await consents.find(deps.db, session.user_id, client.client_id);
  const ring = client.subject_type === 'public' ? null : await deps.keys.get();
  const subOf = (user_id: string) => (ring === null ? user_id : subjectOf(ring, client, user_id));
  const hinted = request.hint_sub === null ? null : [request.hint_sub];
  const subs = requiredSubs(request.claims);
  const { required: required_acrs, wanted: wanted_acrs } = acrsOf(request);
  const reachable_acrs = () => reachableAcrs(deps, session, [...(required_acrs ?? []), ...wanted_acrs]);
  const step = sign_in === null ? null : await owedStep(deps, sign_in);
  return {
    request_id: id,
    arrived_at,
    prompt: request.prompt,
    max_age: request.max_age,
    required_subs:
      hinted !== null && subs !== null ? hinted.filter((sub) => subs.includes(sub)) : (hinted ?? subs),
    required_acrs,
    wanted_acrs,
    session: session && { ...session, sub: subOf(session.user_id), reachable_acrs: await reachable_acrs() },
    sign_in: step === null || sign_in === null ? null : { ...sign_in, sub: subOf(sign_in.user_id), step },
    to_approve: wordsToApprove(
      request,
      client,
      given?.approved.split(' ') ?? [],
      await deps.caches.resources(),
    ),
    consent: given ?? null,
    consent_each_time: each_time,
  };
}

/** What the person can reach by one more proof. Not looked up where the session meets all that is asked for. */
async function reachableAcrs(
  { db, config }: ProgressDeps,
  session: LiveSession | null,
  asked: readonly string[],
): Promise<readonly string[]> {
  if (session === null || asked.every((acr) => metBy(session.acr).includes(acr))) return [];
  const factors = await secondFactors.list(db, session.user_id);
  const types = (await countsAsFactor(db, config, session.user_id))
    ? ['email_code' as const]
    : factors.map(({ type }) => type);
  return [...new Set(types.flatMap((type) => metBy(factorAcrs[type])))];
}

/** What each second factor leads to, beside a first one. */
const factorAcrs = {
  totp: 'urn:sallyport:acr:two-factor',
  email_code: 'urn:sallyport:acr:two-factor',
  passkey: 'phr',
} as const;
