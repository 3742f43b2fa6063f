/** Applications with access to a person's account: those they agreed to, and those of the operator's own that they use. */
import type { Deps } from '../deps.js';
import { scopeWords } from '../oauth/scope.js';
import type { Client } from '../store/clients.js';
import * as consents from '../store/consents.js';
import * as livingAuthorizations from '../store/living_authorizations.js';

export interface OwnApplication {
  readonly client: Client;
  /** What was agreed to, or what its tokens hold where nobody was asked (oauth/authorization.ts). */
  readonly words: readonly string[];
  /** When it was agreed to; where nobody was asked, when the oldest of its authorizations began. Whole seconds since 1970. */
  readonly since: number;
  /** Null where no use is known. */
  readonly last_used_at: number | null;
  /** Whether it has access while the person is away. */
  readonly offline: boolean;
  /** Whether the person was asked. */
  readonly asked: boolean;
}

/** In the order of their names. */
export async function listApplications(
  deps: Pick<Deps, 'caches' | 'db'>,
  user_id: string,
  now: number,
): Promise<readonly OwnApplication[]> {
  const [agreed, living] = await Promise.all([
    consents.listByUser(deps.db, user_id),
    livingAuthorizations.listByUser(deps.db, user_id, now),
  ]);
  const client_ids = new Set([...agreed, ...living].map(({ client_id }) => client_id));
  const found = await Promise.all(
    [...client_ids].map(async (client_id) => {
      const client = await deps.caches.client(client_id);
      return client === undefined
        ? [] // removed at this very moment
        : [
            applicationOf(
              client,
              agreed.find((consent) => consent.client_id === client_id),
              living.filter((authorization) => authorization.client_id === client_id),
            ),
          ];
    }),
  );
  return found.flat().toSorted((a, b) => a.client.client_name.localeCompare(b.client.client_name));
}

function applicationOf(
  client: Client,
  consent: consents.ConsentRow | undefined,
  living: readonly livingAuthorizations.LivingAuthorization[],
): OwnApplication {
  const held = living.flatMap(({ scope }) => scopeWords(scope ?? ''));
  const uses = living.flatMap(({ used_at }) => (used_at === null ? [] : [used_at]));
  return {
    client,
    words: [...new Set(consent === undefined ? ['sign_in', ...held] : scopeWords(consent.approved))],
    since: consent?.granted_at ?? Math.min(...living.map(({ created_at }) => created_at)),
    last_used_at: uses.length === 0 ? null : Math.max(...uses),
    offline: living.some(({ session_id }) => session_id === ''),
    asked: consent !== undefined,
  };
}
