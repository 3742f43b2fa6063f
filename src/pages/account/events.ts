/** What happened to one's account, GET /account/events: the audit trail of one person, in words, 20 at a time. */
import type { Middleware } from 'koa';
import type { Deps } from '../../deps.js';
import { forPerson, renderAccount } from '../../http/account.js';
import { shownClient } from '../../http/interaction.js';
import { languageOf, languagesOf } from '../../http/language.js';
import { readQuery } from '../../http/read.js';
import { shownVisit } from '../../http/shown_visit.js';
import type { Key } from '../../languages/keys.js';
import * as events from '../../store/events.js';

type EventsDeps = Pick<Deps, 'caches' | 'clock' | 'config' | 'db' | 'keys' | 'places'>;

/** The words of each event. Null for what happens to no person, or is for the operator alone. */
const words: Readonly<Record<events.EventType, Key | null>> = {
  server_claimed: 'account.event_server_claimed',
  signed_in: 'account.event_signed_in',
  signed_out: 'account.event_signed_out',
  session_revoked: 'account.event_session_revoked',
  other_sessions_ended: 'account.event_other_sessions_ended',
  consent_granted: 'account.event_consent_granted',
  consent_withdrawn: 'account.event_consent_withdrawn',
  code_replayed: 'account.event_code_replayed',
  refresh_token_reused: 'account.event_refresh_token_reused',
  user_added: 'account.event_user_added',
  user_disabled: 'account.event_user_disabled',
  user_enabled: 'account.event_user_enabled',
  user_removed: null,
  password_changed: 'account.event_password_changed',
  email_changed: 'email.event_changed',
  email_change_taken_back: 'email.event_taken_back',
  email_verified: 'email.event_verified',
  factor_added: 'factor.event_factor_added',
  factor_removed: 'factor.event_factor_removed',
  factors_reset: 'factor.event_factors_reset',
  recovery_codes_made: 'factor.event_recovery_codes_made',
  recovery_code_used: 'factor.event_recovery_code_used',
  passkey_added: 'passkeys.event_added',
  passkey_removed: 'passkeys.event_removed',
  passkey_refused: 'passkeys.event_refused',
  profile_changed: 'account.event_profile_changed',
  data_downloaded: 'account.event_data_downloaded',
  deletion_requested: 'account.event_deletion_requested',
  deletion_cancelled: 'account.event_deletion_cancelled',
  client_added: null,
  client_registered: null,
  client_updated: null,
  client_disabled: null,
  client_enabled: null,
  client_secret_rotated: null,
  client_removed: null,
  client_tokens_revoked: null,
  registration_token_added: null,
  registration_token_removed: null,
  resource_added: null,
  resource_updated: null,
  resource_removed: null,
  branding_changed: null,
  provider_added: null,
  provider_updated: null,
  provider_removed: null,
  identity_linked: 'upstream.event_linked',
  identity_unlinked: 'upstream.event_unlinked',
  signing_key_added: null,
  signing_key_retired: null,
  keys_rewrapped: null,
};

export function showEvents(deps: EventsDeps): Middleware {
  return forPerson(deps, async (ctx, session) => {
    const language = languageOf(ctx, deps.config, null);
    const rows = await events.listByUser(deps.db, session.user_id, placeOf(readQuery(ctx).get('before')));
    const shown = rows
      .filter((row) => words[row.type] !== null)
      .map(async (row) => ({
        key: words[row.type],
        at: row.at,
        client: await clientName(row.client_id),
        visit: row.address === null ? null : await shownVisit(deps, visitOf(row), language),
      }));
    const last = rows.length === events.page_rows ? rows.at(-1) : undefined;
    await renderAccount(deps, ctx, session, {
      view: 'account/events',
      title: 'account.events',
      data: { events: await Promise.all(shown), older: last === undefined ? null : `${last.at}.${last.id}` },
    });

    async function clientName(client_id: string | null): Promise<string | null> {
      const client = client_id === null ? undefined : await deps.caches.client(client_id);
      if (client === undefined) return client_id; // removed since
      return shownClient(client, deps.config.base, languagesOf(ctx, deps.config, null)).name;
    }
  });
}

function visitOf({ user_agent, address }: events.EventRow): events.Visit {
  return { user_agent: user_agent ?? '', address: address ?? '' };
}

/** A place as the link to older events has it; null for anything else: then the list begins at its beginning (hardening row 25). */
function placeOf(before: string | undefined): events.EventPlace | null {
  const [, at, id] = /^(\d{1,12})\.([\w-]{1,64})$/.exec(before ?? '') ?? [];
  return at === undefined || id === undefined ? null : { at: Number(at), id };
}
