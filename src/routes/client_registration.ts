/** Clients that register themselves. */
import type { Middleware } from 'koa';
import type { Deps } from '../deps.js';
import {
  readRegistration,
  registration,
  removeRegistration,
  replaceRegistration,
} from '../endpoints/client_registration.js';
import { bearerErrors } from '../http/bearer.js';
import { anyOriginCors } from '../http/cors.js';
import { jsonErrors } from '../http/errors.js';
import { get, post, preflight, type Route } from './route.js';

/** Dynamic registration. Scripts of any origin may use it where anybody may (HTTP-15). */
export function registrationRoutes(deps: Deps): readonly Route[] {
  const own = '/register/:client_id';
  const open = deps.config.CLIENT_REGISTRATION === 'open';
  const registerCors = anyOriginCors({ methods: 'POST' });
  const manageCors = anyOriginCors({ methods: 'GET, PUT, DELETE' });
  const json = [jsonErrors(deps), bearerErrors(deps)];
  const guarded = (cors: Middleware) => (open ? [cors, ...json] : json);
  return [
    post('/register', ...guarded(registerCors), registration(deps)),
    get(own, ...guarded(manageCors), readRegistration(deps)),
    { methods: ['PUT'], path: own, handlers: [...guarded(manageCors), replaceRegistration(deps)] },
    { methods: ['DELETE'], path: own, handlers: [...guarded(manageCors), removeRegistration(deps)] },
    ...(open ? [preflight('/register', registerCors), preflight(own, manageCors)] : []),
  ];
}
