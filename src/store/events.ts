/** Table events: the audit trail. What happened, when, to whom; never a secret. */
import { newId } from '../secrets.js';
import type { Queryable, Trx } from './db.js';
import { insertMany } from './many.js';
import { statement } from './statement.js';

export type EventType =
  | 'server_claimed'
  | 'signed_in'
  | 'signed_out'
  | 'session_revoked'
  | 'consent_granted'
  | 'code_replayed'
  | 'refresh_token_reused'
  | 'user_added'
  | 'user_disabled'
  | 'user_enabled'
  | 'user_removed'
  | 'password_changed'
  | 'email_changed'
  | 'email_change_taken_back'
  | 'email_verified'
  | 'profile_changed'
  | 'other_sessions_ended'
  | 'consent_withdrawn'
  | 'data_downloaded'
  | 'deletion_requested'
  | 'deletion_cancelled'
  | 'factor_added'
  | 'factor_removed'
  | 'factors_reset'
  | 'recovery_codes_made'
  | 'recovery_code_used'
  | 'passkey_added'
  | 'passkey_removed'
  | 'passkey_refused'
  | 'client_added'
  | 'client_registered'
  | 'client_updated'
  | 'client_disabled'
  | 'client_enabled'
  | 'client_secret_rotated'
  | 'client_removed'
  | 'client_tokens_revoked'
  | 'registration_token_added'
  | 'registration_token_removed'
  | 'resource_added'
  | 'resource_updated'
  | 'resource_removed'
  | 'branding_changed'
  | 'provider_added'
  | 'provider_updated'
  | 'provider_removed'
  | 'identity_linked'
  | 'identity_unlinked'
  | 'signing_key_added'
  | 'signing_key_retired'
  | 'keys_rewrapped';

export interface EventRow {
  id: string;
  at: number;
  type: EventType;
  user_id: string | null;
  client_id: string | null;
  session_id: string | null;
  detail: string | null;
  user_agent: string | null;
  address: string | null;
  expires_at: number;
}

/** Events of a person that are listed at once. */
export const page_rows = 20;

/** With what and from where a browser came: what its owner knows a device by. */
export interface Visit {
  /** The User-Agent header, bounded (devices/user_agent.ts). */
  readonly user_agent: string;
  /** The network address, as TRUSTED_PROXIES lets it be seen. */
  readonly address: string;
}

export interface Event {
  readonly type: EventType;
  readonly user_id?: string | undefined;
  readonly client_id?: string | undefined;
  readonly session_id?: string | undefined;
  readonly detail?: string | undefined;
  /** The browser that did it. */
  readonly visit?: Visit | undefined;
}

const insertEvent = statement<EventRow>((sql, value) =>
  sql('events').insert({
    id: value.id,
    at: value.at,
    type: value.type,
    user_id: value.user_id,
    client_id: value.client_id,
    session_id: value.session_id,
    detail: value.detail,
    user_agent: value.user_agent,
    address: value.address,
    expires_at: value.expires_at,
  }),
);

/** Records an event in the transaction of what it tells, to be kept for `keep_seconds`. */
export async function record(trx: Trx, event: Event, now: number, keep_seconds: number): Promise<void> {
  await trx.run(insertEvent, eventRow(event, now, keep_seconds));
}

const insertAll = insertMany<EventRow>('events', {
  id: true,
  at: true,
  type: true,
  user_id: true,
  client_id: true,
  session_id: true,
  detail: true,
  user_agent: true,
  address: true,
  expires_at: true,
});

/** The same for many at once. */
export async function recordAll(
  trx: Trx,
  events: readonly Event[],
  now: number,
  keep_seconds: number,
): Promise<void> {
  const rows = events.map((event) => eventRow(event, now, keep_seconds));
  await trx.all(insertAll, { rows: JSON.stringify(rows) });
}

function eventRow(event: Event, now: number, keep_seconds: number): EventRow {
  return {
    id: newId(),
    at: now,
    type: event.type,
    user_id: event.user_id ?? null,
    client_id: event.client_id ?? null,
    session_id: event.session_id ?? null,
    detail: event.detail ?? null,
    user_agent: event.visit?.user_agent ?? null,
    address: event.visit?.address ?? null,
    expires_at: now + keep_seconds,
  };
}

/** Where a page of events ends: those that come after it are older. */
export interface EventPlace {
  readonly at: number;
  readonly id: string;
}

const ofUser = statement<EventPlace & { user_id: string }, EventRow>((sql, value) =>
  sql('events')
    .where('user_id', value.user_id)
    .whereRaw('(at, id) < (?, ?)', [value.at, value.id])
    .orderBy('at', 'desc')
    .orderBy('id', 'desc')
    .limit(page_rows),
);

/** The next 20 events of a user before a place, newest first; null for the newest of all. */
export function listByUser(db: Queryable, user_id: string, before: EventPlace | null): Promise<EventRow[]> {
  return db.all(ofUser, { user_id, ...(before ?? { at: Number.MAX_SAFE_INTEGER, id: '' }) });
}
