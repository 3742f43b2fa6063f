/**
 * Somebody came from another provider whom we know as nobody, GET and POST /upstream/connect. They sign in here first, by whatever way and
 * with every factor; then the page asks whether the two accounts are one person's. Never by an address alone. Hardening rows 10, 16, 33.
 */
import type { Context, Middleware } from 'koa';
import { connectIdentity, isProven } from '../actions/federated_identities.js';
import { askForAccount } from '../actions/registration.js';
import type { Deps } from '../deps.js';
import { seeOther } from '../http/answer.js';
import { parseNetworks } from '../http/client_address.js';
import { assertOwnForm, csrfToken } from '../http/csrf.js';
import { type Interaction, readInteraction } from '../http/interaction.js';
import { languageOf } from '../http/language.js';
import { carriedBy } from '../http/mail_link.js';
import { readForm, readQuery } from '../http/read.js';
import { render } from '../http/render.js';
import { currentSession } from '../http/session.js';
import { goOnAfter } from '../http/sign_in.js';
import { submit } from '../http/submit.js';
import {
  dropConnection,
  findProvider,
  keepConnection,
  shownProvider,
  waitingConnection,
} from '../http/upstream.js';
import { visitOf } from '../http/visit.js';
import { UserError } from '../oauth/errors.js';
import type { Params } from '../oauth/params.js';
import type { Visit } from '../store/events.js';
import type { IdentityProviderRow } from '../store/identity_providers.js';
import type { LiveSession } from '../store/sessions.js';
import { type Connection, registration_seconds } from '../upstream/connection.js';

type ConnectDeps = Pick<Deps, 'bell' | 'caches' | 'clock' | 'config' | 'db' | 'keys' | 'log'>;

interface Asked {
  readonly interaction: Interaction | null;
  readonly connection: Connection | null;
  readonly session: LiveSession | null;
  readonly now: number;
}

export function showConnect(deps: ConnectDeps): Middleware {
  return async (ctx) => {
    const asked = await readAsked(deps, ctx, readQuery(ctx));
    await connectPage(deps, ctx, asked, null);
  };
}

export function postConnect(deps: ConnectDeps): Middleware {
  const trusted = parseNetworks(deps.config.TRUSTED_PROXIES);
  return async (ctx) => {
    const params = await readForm(ctx);
    const asked = await readAsked(deps, ctx, params);
    const { connection, session, interaction, now } = asked;
    await submit(
      ctx,
      async () => {
        await assertOwnForm(deps, ctx, params, session?.id ?? null);
        if (connection !== null && params.get('action') === 'register')
          return register(deps, ctx, { ...asked, connection }, visitOf(ctx, trusted));
        if (connection !== null && session !== null && params.get('action') === 'connect')
          await connectIdentity(deps, session, { connection, visit: visitOf(ctx, trusted) }, now);
        dropConnection(ctx, deps.config);
        goOnAfter(ctx, deps, interaction);
      },
      (error) => connectPage(deps, ctx, asked, error),
    );
  };
}

/** Who has no account here makes one by the link of a mail, in this browser, and is asked then. The answer is the same for everybody. */
async function register(
  deps: ConnectDeps,
  ctx: Context,
  { connection, interaction, now }: Asked & { readonly connection: Connection },
  visit: Visit,
): Promise<void> {
  const provider = await findProvider(deps, connection.provider_id);
  const email = addressFor(deps, provider, connection);
  if (email === null) throw new UserError('not_allowed', 'register.closed_title');
  const language = languageOf(ctx, deps.config, interaction?.pending ?? null);
  const asked = { email, visit, language, more: carriedBy(interaction), provider_id: provider.id };
  await askForAccount(deps, asked, now);
  await keepConnection(deps, ctx, { ...connection, lives_seconds: registration_seconds });
  seeOther(ctx, `${deps.config.base}/check-mail?for=account`);
}

/** The address that an account may be made for; null where none is made, or no mail is sent. */
function addressFor(
  { config }: Pick<Deps, 'config'>,
  { registration }: Pick<IdentityProviderRow, 'registration'>,
  { email, user_id }: Connection,
): string | null {
  return registration === 1 && config.mail !== 'off' && user_id === null ? email : null;
}

async function readAsked(deps: ConnectDeps, ctx: Context, params: Params): Promise<Asked> {
  const now = deps.clock();
  return {
    interaction: await readInteraction(deps, ctx, params, now),
    connection: await waitingConnection(deps, ctx, now),
    session: await currentSession(deps, ctx, now),
    now,
  };
}

/** The question, for whom it is for; for anybody else the way to sign in. Without anything that waits it is left at once. */
async function connectPage(
  deps: ConnectDeps,
  ctx: Context,
  { interaction, connection, session }: Asked,
  error: UserError | null,
): Promise<void> {
  if (connection === null) {
    dropConnection(ctx, deps.config);
    return goOnAfter(ctx, deps, interaction);
  }
  const row = await findProvider(deps, connection.provider_id);
  const provider = shownProvider(row);
  const proven = session !== null && isProven(session, connection);
  render(ctx, deps.config, {
    view: 'upstream_connect',
    title: {
      key: proven ? 'upstream.connect_title' : 'upstream.unknown_title',
      values: { provider: provider.name },
    },
    pending: interaction?.pending ?? null,
    data: {
      csrf: await csrfToken(deps, ctx, session?.id ?? null),
      request: interaction?.sealed ?? null,
      provider,
      label: connection.label,
      // Only where the provider is trusted to have verified the address: its owner alone is told that there is an account.
      owned: connection.user_id !== null,
      registers: addressFor(deps, row, connection) !== null,
      person: proven ? { name: session.name, email: session.email } : null,
      error,
    },
  });
}
