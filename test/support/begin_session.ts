/**
 * A person who signed in by password, without the page and the hashing, which take half the time of a short test: the last steps of
 * the login page alone. For tests of what comes after; the login page has its own.
 */
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import Koa from 'koa';
import { beginSignIn } from '../../src/actions/sign_in.js';
import type { Deps } from '../../src/deps.js';
import { amr } from '../../src/factors/password.js';
import { giveCookies } from '../../src/http/sign_in.js';
import * as credentials from '../../src/store/credentials.js';
import * as users from '../../src/store/users.js';

/** Starts a session of somebody who has this password factor alone. Gives the Set-Cookie lines that the login page would have sent. */
export async function beginSession(deps: Deps, email: string): Promise<readonly string[]> {
  const { config, db, keys } = deps;
  const now = deps.clock();
  const ring = await keys.get();
  const user = await users.findByEmail(db, users.canonicalEmail(email));
  const credential = await credentials.find(db, user?.id ?? '', 'password');
  if (user === undefined || credential === undefined) throw new Error(`${email} has no password here`);
  const visit = { user_agent: 'node', address: '127.0.0.1', ring, knows: () => false };
  const proof = {
    user_id: user.id,
    credential_id: credential.id,
    amr: [amr],
    current: null,
    request_id: null,
    visit,
  };
  const { session } = await db.transaction((trx) => beginSignIn(trx, config, proof, now));
  if (session === null) throw new Error(`${email} has a second factor to prove`);
  const ctx = contextOf();
  await giveCookies(ctx, deps, session);
  return [ctx.response.get('set-cookie')].flat();
}

const app = new Koa();

function contextOf(): Koa.Context {
  const request = new IncomingMessage(new Socket());
  return app.createContext(request, new ServerResponse(request)) as Koa.Context;
}
