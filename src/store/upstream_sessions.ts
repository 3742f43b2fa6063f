/** Table upstream_sessions: one row for each session here that came from one at another provider. It ends with the session. */
import type { Queryable, Trx } from './db.js';
import { statement } from './statement.js';

/** A session at another provider. */
export interface UpstreamSession {
  readonly provider_id: string;
  readonly subject: string;
  /** Null where the provider did not name it. */
  readonly sid: string | null;
  readonly id_token_sealed: string | null;
}

export interface UpstreamSessionRow extends UpstreamSession {
  readonly session_id: string;
  readonly created_at: number;
}

const upsertSession = statement<UpstreamSessionRow>((sql, value) =>
  sql('upstream_sessions')
    .insert({
      session_id: value.session_id,
      provider_id: value.provider_id,
      subject: value.subject,
      sid: value.sid,
      id_token_sealed: value.id_token_sealed,
      created_at: value.created_at,
    })
    .onConflict(['session_id', 'provider_id'])
    .merge(),
);

/** Notes from where a session came; a new sign-in with the same provider takes the place of the one before. */
export async function upsert(trx: Trx, row: UpstreamSessionRow): Promise<void> {
  await trx.run(upsertSession, row);
}

const latest = statement<{ session_id: string }, UpstreamSessionRow>((sql, value) =>
  sql('upstream_sessions')
    .where({ session_id: value.session_id })
    .orderBy('created_at', 'desc')
    .orderBy('provider_id')
    .limit(1),
);

/** From where a session came last; undefined for one that began here. */
export function findBySession(db: Queryable, session_id: string): Promise<UpstreamSessionRow | undefined> {
  return db.first(latest, { session_id });
}

interface Ended {
  readonly provider_id: string;
  /** The session that ended there; '' where all of the subject's did. */
  readonly sid: string;
  /** '' where it is not told. One of the two is. */
  readonly subject: string;
}

/** A session whose provider gave it no name ends with any of its subject's. */
const endedThere = statement<Ended, UpstreamSessionRow & { user_id: string }>((sql, value) =>
  sql.raw(
    `select upstream_sessions.*, sessions.user_id from upstream_sessions
      join sessions on sessions.id = upstream_sessions.session_id
      where provider_id = ? and subject = case when ? = '' then subject else ? end
        and (? = '' or sid = ? or (sid is null and ? <> ''))
      limit 1000`,
    [value.provider_id, value.subject, value.subject, value.sid, value.sid, value.subject],
  ),
);

/** The sessions here that came from what ended at a provider, a thousand at a time. */
export function findEnded(
  db: Queryable,
  { provider_id, sid, subject }: { readonly [Name in keyof Ended]: Ended[Name] | null },
): Promise<(UpstreamSessionRow & { user_id: string })[]> {
  return db.all(endedThere, { provider_id: provider_id ?? '', sid: sid ?? '', subject: subject ?? '' });
}
