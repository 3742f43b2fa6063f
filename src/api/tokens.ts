/** How tokens are answered: in the body, or in cookies with a body that says only how long they are good. */
import type { Context } from 'koa';
import type { Deps } from '../deps.js';
import { noStoreJson } from '../http/answer.js';
import { giveTokens } from '../http/token_cookies.js';
import type { KeyRing } from '../keys/keys.js';
import type { Mode } from '../oauth/direct_sign_in.js';
import type { Client } from '../store/clients.js';
import type { Granted } from '../tokens/granted.js';
import { issueTokens } from '../tokens/issue.js';

export interface TokenAnswer {
  readonly client: Client;
  readonly granted: Granted;
  readonly mode: Mode;
  readonly ring: KeyRing;
  readonly now: number;
}

/** Signs and sends them. Throws `invalid_scope` where they are too long for a cookie. */
export async function answerTokens(
  deps: Pick<Deps, 'caches' | 'clientKeys' | 'config' | 'db' | 'log'>,
  ctx: Context,
  { client, granted, mode, ring, now }: TokenAnswer,
): Promise<void> {
  const tokens = await issueTokens({ ...deps, ring }, client, granted, now);
  const { expires_in, scope } = tokens;
  if (mode === 'cookie') giveTokens(ctx, deps.config, tokens);
  noStoreJson(ctx, mode === 'cookie' ? { expires_in, scope } : tokens);
  const { user_id, sid } = granted.user ?? {};
  deps.log.info(
    { event: 'tokens_issued', path: ctx.path, mode, client_id: client.client_id, user_id, sid },
    'tokens issued',
  );
}
