/** All that is kept of a person, for themselves: nothing that proves who they are, and nothing of anybody else. Times are ISO 8601. */

import { claimsOfScopes, openidScopes } from '../claims/index.js';
import type { Deps } from '../deps.js';
import { UserError } from '../oauth/errors.js';
import * as credentials from '../store/credentials.js';
import * as events from '../store/events.js';
import * as federatedIdentities from '../store/federated_identities.js';
import * as passkeys from '../store/passkeys.js';
import * as rememberedDevices from '../store/remembered_devices.js';
import * as sessions from '../store/sessions.js';
import * as users from '../store/users.js';
import { listApplications } from './own_applications.js';

/** Events beyond this many, the oldest ones, are left out: an export is made at once, in memory. */
const most_events = 10_000;

/** Writes down that the data was taken, too. */
export async function exportData(
  deps: Pick<Deps, 'caches' | 'config' | 'db'>,
  user_id: string,
  visit: events.Visit,
  now: number,
): Promise<object> {
  const event = { type: 'data_downloaded', user_id, visit } as const;
  await deps.db.transaction((trx) => events.record(trx, event, now, deps.config.EVENTS_SECONDS));
  const user = await users.find(deps.db, user_id);
  if (user === undefined) throw new UserError('not_found', 'account.no_session'); // removed at this very moment
  return {
    issuer: deps.config.ISSUER,
    exported_at: iso(now),
    account: {
      sub: user.id,
      created_at: iso(user.created_at),
      updated_at: iso(user.updated_at),
      roles: user.roles.split(' ').filter((role) => role !== ''),
    },
    claims: claimsOfScopes(user, openidScopes),
    credentials: await credentialsOf(deps, user_id),
    other_providers: (await federatedIdentities.listByUser(deps.db, user_id)).map(identityOf),
    remembered_devices: (await rememberedDevices.list(deps.db, user_id, now)).map(rememberedOf),
    sessions: (await sessions.listByUser(deps.db, user_id, now)).map(sessionOf),
    applications: (await listApplications(deps, user_id, now)).map((application) => ({
      client_id: application.client.client_id,
      client_name: application.client.client_name,
      allowed: application.words,
      offline_access: application.offline,
      since: iso(application.since),
      last_used_at: iso(application.last_used_at),
    })),
    events: await eventsOf(deps, user_id),
  };
}

/** What there is to sign in with, without what signs in. */
async function credentialsOf({ db }: Pick<Deps, 'db'>, user_id: string): Promise<readonly object[]> {
  const [own, keys] = await Promise.all([credentials.listAll(db, user_id), passkeys.list(db, user_id)]);
  return [
    ...own.map(({ type, name, created_at, last_used_at }) => ({ type, name, created_at, last_used_at })),
    ...keys.map(({ name, created_at, last_used_at }) => ({
      type: 'passkey',
      name,
      created_at,
      last_used_at,
    })),
  ].map((one) => ({ ...one, created_at: iso(one.created_at), last_used_at: iso(one.last_used_at) }));
}

/** Who the person is at another provider: what we were told of it. */
function identityOf(row: federatedIdentities.FederatedIdentityRow): object {
  const { provider_id, subject, label, created_at, last_used_at } = row;
  return { provider_id, subject, label, created_at: iso(created_at), last_used_at: iso(last_used_at) };
}

function rememberedOf(row: rememberedDevices.RememberedDeviceRow): object {
  const { name, created_at, last_used_at, expires_at } = row;
  return { name, created_at: iso(created_at), last_used_at: iso(last_used_at), expires_at: iso(expires_at) };
}

function sessionOf(row: sessions.LiveSession): object {
  const { id, auth_time, amr, created_at, last_seen_at, expires_at, user_agent, address } = row;
  return {
    ...{ id, signed_in_at: iso(auth_time), amr, created_at: iso(created_at) },
    ...{ last_seen_at: iso(last_seen_at), expires_at: iso(expires_at), user_agent, address },
  };
}

async function eventsOf({ db }: Pick<Deps, 'db'>, user_id: string): Promise<readonly object[]> {
  const all: events.EventRow[] = [];
  let page: readonly events.EventRow[];
  do {
    page = await events.listByUser(db, user_id, all.at(-1) ?? null);
    all.push(...page);
  } while (page.length === events.page_rows && all.length < most_events);
  return all.map(({ at, type, client_id, session_id, detail, user_agent, address }) => ({
    ...{ at: iso(at), type, client_id, session_id, detail, user_agent, address },
  }));
}

function iso<At extends number | null>(at: At): string | null {
  return at === null ? null : new Date(at * 1000).toISOString();
}
