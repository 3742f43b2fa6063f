/** Other providers. */
import type { Deps } from '../deps.js';
import { upstreamLogout } from '../endpoints/upstream_logout.js';
import { jsonErrors } from '../http/errors.js';
import { upstreamCallback } from '../pages/upstream_callback.js';
import { postConnect, showConnect } from '../pages/upstream_connect.js';
import { upstreamSignedOut, upstreamSignOutPage } from '../pages/upstream_sign_out.js';
import { get, pageGuards, post, type Route } from './route.js';

/** Signing in with another provider, and out. Its answers come by GET; its logout tokens from server to server. */
export function upstreamRoutes(deps: Deps): readonly Route[] {
  const page = pageGuards(deps);
  return [
    get('/upstream/:id/callback', ...page, upstreamCallback(deps)),
    get('/upstream/connect', ...page, showConnect(deps)),
    post('/upstream/connect', ...page, postConnect(deps)),
    get('/upstream/:id/sign-out', ...page, upstreamSignOutPage(deps)),
    get('/upstream/:id/signed-out', ...page, upstreamSignedOut(deps)),
    post('/upstream/:id/backchannel-logout', jsonErrors(deps), upstreamLogout(deps)),
  ];
}
