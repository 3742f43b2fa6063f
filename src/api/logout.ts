/**
 * POST /users/logout: ends the session that a token came from, like a sign-out: here and for every application that got something of
 * it. The token may have expired. Where it names nothing that lives there is nothing to end, and the answer is the same.
 */
import type { Context, Middleware } from 'koa';
import { type HeldToken, signOutByToken } from '../actions/sessions.js';
import type { Deps } from '../deps.js';
import { bearerHeader } from '../http/bearer.js';
import { readJson } from '../http/read.js';
import { accessCookie, takeTokens } from '../http/token_cookies.js';
import * as authorizations from '../store/authorizations.js';
import type { Client } from '../store/clients.js';
import * as refreshTokens from '../store/refresh_tokens.js';
import * as sessions from '../store/sessions.js';
import { readAccessToken } from '../tokens/access_token.js';
import { parseRefreshToken } from '../tokens/refresh_token.js';
import { sidFor } from '../tokens/subject.js';
import { assertFrom, type CallerDeps, readClient } from './caller.js';

export type LogoutDeps = CallerDeps & Pick<Deps, 'bell' | 'clock' | 'keys' | 'log'>;

export function logout(deps: LogoutDeps): Middleware {
  return async (ctx) => {
    const now = deps.clock();
    const params = await readJson(ctx);
    const client = await readClient(deps, params, now);
    const access_token = bearerHeader(ctx.get('authorization'));
    const refresh_token = params.get('refresh_token');
    const mode = access_token === undefined && refresh_token === undefined ? 'cookie' : 'bearer';
    assertFrom(ctx, client, mode);

    if (mode === 'cookie') {
      await endFormer(deps, ctx, client, now);
      takeTokens(ctx, deps.config);
    } else {
      if (access_token !== undefined)
        await end(deps, await ofAccessToken(deps, access_token, client, now), client, now);
      if (refresh_token !== undefined)
        await end(deps, await ofRefreshToken(deps, refresh_token), client, now);
    }
    ctx.set('Cache-Control', 'no-store');
    ctx.status = 204;
  };
}

/** Ends what this browser's cookies still hold for a client. */
export async function endFormer(
  deps: Omit<LogoutDeps, 'clock'>,
  ctx: Context,
  client: Client,
  now: number,
): Promise<void> {
  const access_token = accessCookie(ctx, deps.config);
  if (access_token !== undefined)
    await end(deps, await ofAccessToken(deps, access_token, client, now), client, now);
}

type Held = HeldToken & { readonly client_id: string };

async function end(
  deps: Pick<Deps, 'bell' | 'config' | 'db' | 'log'>,
  held: Held | undefined,
  { client_id }: Client,
  now: number,
): Promise<void> {
  if (held?.client_id === client_id) await signOutByToken(deps, held, now);
}

async function ofAccessToken(
  { config, db, keys }: Pick<Deps, 'config' | 'db' | 'keys'>,
  access_token: string,
  client: Client,
  now: number,
): Promise<Held | undefined> {
  const ring = await keys.get();
  const token = readAccessToken(ring, config, access_token, { now, allow_expired: true });
  if (token === undefined) return undefined;
  const holder = await authorizations.findHolder(db, token.authorization_id); // `sub` may be pairwise, and `sid` with it
  const user_id = holder?.id ?? token.sub;
  const all = client.subject_type === 'public' ? [] : await sessions.listByUser(db, user_id, now);
  const session = all.find(({ id }) => sidFor(ring, client, id) === token.sid);
  return { ...token, user_id, sid: session?.id ?? token.sid };
}

/** Any token of the family will do: its MAC says that we made it, and one that was replaced would end the family anyway. */
async function ofRefreshToken(
  { db, keys }: Pick<Deps, 'db' | 'keys'>,
  refresh_token: string,
): Promise<Held | undefined> {
  const parsed = parseRefreshToken(await keys.get(), refresh_token);
  return parsed && refreshTokens.find(db, parsed.id);
}
