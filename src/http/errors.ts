/**
 * Where an error is told. Routes for machines carry jsonErrors, pages carry pageErrors. Anything that is neither an OAuthError nor
 * a UserError is our own fault: logged once with its id, answered without its text. Design §1.8; style.md §4.5.
 */
import type { Context, Middleware } from 'koa';
import type { Deps } from '../deps.js';
import type { Key } from '../languages/keys.js';
import type { Text } from '../languages/translate.js';
import type { ErrorCode } from '../oauth/error_codes.js';
import { errorObject, type FailedCheck, OAuthError, UserError } from '../oauth/errors.js';
import { newId } from '../secrets.js';
import { noStoreJson } from './answer.js';
import { isLocalPeer } from './client_address.js';
import { render } from './render.js';
import { currentSession, isAdministrator } from './session.js';

type ErrorDeps = Pick<Deps, 'config' | 'db' | 'clock' | 'log'>;

/** For machines: the error object of RFC 6749 §5.2. */
export function jsonErrors(deps: Pick<Deps, 'config' | 'log'>): Middleware {
  return async (ctx, next) => {
    try {
      await next();
    } catch (error) {
      const told = asOAuthError(deps, ctx, error);
      if (told.status === 401 && wantsChallenge(ctx, told))
        ctx.set('WWW-Authenticate', 'Basic realm="sallyport", charset="UTF-8"');
      if (told.retry_after !== undefined) ctx.set('Retry-After', String(told.retry_after));
      noStoreJson(ctx, errorObject(deps.config.ISSUER, told), told.status);
    }
  };
}

/**
 * Whether a 401 says how to authenticate: where a client tried to (RFC 6749 §5.2), or did not at all (RFC 9110 §15.5.2). A script in a
 * page that did not try is told without: its browser would ask the person for a password.
 */
function wantsChallenge(ctx: Context, { code }: OAuthError): boolean {
  return ctx.get('authorization') !== '' || (code === 'invalid_client' && ctx.get('origin') === '');
}

/** For people: a calm sentence, an id, and the failed check for those who may see it. */
export function pageErrors(deps: ErrorDeps): Middleware {
  return async (ctx, next) => {
    try {
      await next();
    } catch (error) {
      await renderError(deps, ctx, error);
    }
  };
}

/** An error as it may be told outside, logged with a cause if it has one. */
export function asOAuthError(deps: Pick<Deps, 'log'>, ctx: Context, error: unknown): OAuthError {
  if (error instanceof OAuthError) {
    deps.log.info(
      { path: ctx.path, error: error.code, description: error.description, cause: causeOf(error) },
      'request refused',
    );
    return error;
  }
  if (error instanceof UserError) {
    const code = codeOf(error);
    const retry = error.retry_after === undefined ? {} : { retry_after: error.retry_after };
    return new OAuthError(code, error.message, { status: error.status, ...retry });
  }
  const error_id = newId();
  logFault(deps, ctx, error, error_id);
  return new OAuthError('server_error', `something went wrong here; error id ${error_id}`);
}

function codeOf({ code, status }: UserError): ErrorCode {
  if (code === 'wrong_credentials') return 'invalid_grant'; // RFC 6749 §5.2: credentials of the resource owner
  return status === 503 ? 'temporarily_unavailable' : 'invalid_request';
}

/** Logs what is our own fault. A client that went away in the middle is none. */
export function logFault(deps: Pick<Deps, 'log'>, ctx: Context, error: unknown, error_id: string): void {
  if (isAborted(error)) deps.log.debug({ path: ctx.path }, 'the client went away');
  else deps.log.error({ err: error, error_id, method: ctx.method, path: ctx.path }, 'unexpected error');
}

function isAborted(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    (error.code === 'ECONNRESET' || error.code === 'ERR_STREAM_PREMATURE_CLOSE')
  );
}

function causeOf(error: Error): string | undefined {
  return error.cause instanceof Error ? error.cause.message : undefined;
}

interface Told {
  readonly status: number;
  readonly heading: Key;
  readonly message: Text;
  /** For `message`: what the client is told, in English. */
  readonly description: string | null;
  readonly advice: Key | null;
}

async function renderError(deps: ErrorDeps, ctx: Context, error: unknown): Promise<void> {
  const error_id = newId();
  const told = tell(
    error,
    ctx.path.startsWith(`${deps.config.base}/logout`) ? 'errors.sign_out_link' : 'errors.sign_in_link',
  );
  if (error instanceof OAuthError || error instanceof UserError) {
    deps.log.info(
      { error_id, path: ctx.path, error: error.code, description: error.message, cause: causeOf(error) },
      'request refused',
    );
  } else {
    logFault(deps, ctx, error, error_id);
  }
  const detail =
    error instanceof OAuthError && (await maySeeDetails(deps, ctx))
      ? detailOf(deps.config.base, error)
      : null;
  if ((error instanceof OAuthError || error instanceof UserError) && error.retry_after !== undefined) {
    ctx.set('Retry-After', String(error.retry_after));
  }
  const { status, ...said } = told;
  const data = { ...said, error_id, detail, home_uri: `${deps.config.base}/` };
  render(ctx, deps.config, { view: 'error', title: said.heading, status, data });
}

/** `link` says what the person was doing. */
function tell(error: unknown, link: 'errors.sign_in_link' | 'errors.sign_out_link'): Told {
  if (error instanceof UserError)
    return {
      status: error.status,
      heading: 'errors.user_error',
      message: error,
      description: null,
      advice: null,
    };
  if (error instanceof OAuthError) {
    const status = error.status === 401 || error.status === 403 ? 400 : error.status;
    if (error.failed?.check.startsWith('redirect_uri')) {
      return {
        status,
        heading: link,
        message: 'errors.redirect_uri',
        description: null,
        advice: 'errors.tell_them',
      };
    }
    return {
      status,
      heading: link,
      message: 'errors.cannot_answer',
      description: error.description,
      advice: 'errors.try_again',
    };
  }
  return {
    status: 500,
    heading: 'errors.our_fault',
    message: 'errors.not_yours',
    description: null,
    advice: 'errors.in_a_moment',
  };
}

/** The failed check as the page shows it: what was expected in the order of likeness, and where the likest one differs. */
function detailOf(base: string, error: OAuthError) {
  const failed: FailedCheck = error.failed ?? { check: error.description, received: null, expected: [] };
  const { check, received } = failed;
  const likeness = (text: string) => commonPrefix(text, received ?? '');
  const expected = [...failed.expected].sort((a, b) => likeness(b) - likeness(a));
  const [likest] = expected;
  const differs_at = received === null || likest === undefined ? null : likeness(likest);
  return {
    code: error.code,
    error_uri: `${base}/errors#${error.code}`,
    check,
    received,
    expected,
    differs_at,
  };
}

function commonPrefix(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length += 1;
  return length;
}

/** Details are for somebody at this very machine with a loopback issuer, and for signed-in administrators. */
async function maySeeDetails(deps: ErrorDeps, ctx: Context): Promise<boolean> {
  if (deps.config.loopback && isLocalPeer(ctx)) return true;
  try {
    return isAdministrator(await currentSession(deps, ctx, deps.clock()));
  } catch {
    return false; // the database may be the very thing that failed: then the calm sentence must do
  }
}
