/** Reads what a request brings, strictly and within limits: 64 KiB of body, one content type, no surprises. Hardening numbers. */
import type { Context } from 'koa';
import { OAuthError } from '../oauth/errors.js';
import { type Params, parseJsonObject, parseJsonParams, parseParams } from '../oauth/params.js';

const longest_body = 65_536;

/** The parameters of the query. Throws `invalid_request` where it is malformed. */
export function readQuery(ctx: Context): Params {
  return parseParams(ctx.querystring);
}

/**
 * The parameters of a form body. Throws `invalid_request` for another content type, for a compressed body, and with status 413
 * over 64 KiB.
 */
export async function readForm(ctx: Context): Promise<Params> {
  assertType(ctx, 'application/x-www-form-urlencoded');
  const form = await readBody(ctx);
  forms.set(ctx, form);
  return parseParams(form);
}

/** The forms that were read, as long as their requests live. */
const forms = new WeakMap<Context, string>();

/** The parameters as they came, right or not, in the query and in a form that was read: for a page that tells what is wrong with them. */
export function asTheyCame(ctx: Context): URLSearchParams {
  return new URLSearchParams(`${ctx.querystring}&${forms.get(ctx) ?? ''}`);
}

/**
 * The members of a JSON body, which are strings or lists of them. Throws like readForm. Another site's page cannot send this content
 * type without asking first (Fetch §2.2.2), which is half of the defence against CSRF.
 */
export async function readJson(ctx: Context): Promise<Params> {
  assertType(ctx, 'application/json');
  return parseJsonParams(await readBody(ctx));
}

/** A JSON body with members of any kind. Throws like readForm. */
export async function readJsonObject(ctx: Context): Promise<Readonly<Record<string, unknown>>> {
  assertType(ctx, 'application/json');
  return parseJsonObject(await readBody(ctx));
}

function assertType(ctx: Context, wanted: string): void {
  const type = (ctx.get('content-type').split(';')[0] ?? '').trim().toLowerCase();
  if (type !== wanted) throw new OAuthError('invalid_request', `the content type must be ${wanted}`);
}

/**
 * The form of a machine's request: a secret or token in the query is refused, since queries end up in logs and histories
 * (RFC 6749 §2.3.1, OAuth 2.1 §5.1).
 */
export async function readMachineForm(ctx: Context): Promise<Params> {
  if (ctx.querystring !== '') {
    const query = readQuery(ctx);
    const secret = ['client_secret', 'client_assertion', 'access_token', 'refresh_token', 'code'].find(
      (name) => query.has(name),
    );
    if (secret !== undefined)
      throw new OAuthError('invalid_request', `${secret} belongs in the body, never in the query`);
  }
  return readForm(ctx);
}

async function readBody(ctx: Context): Promise<string> {
  const encoding = ctx.get('content-encoding');
  if (encoding !== '' && encoding !== 'identity')
    throw new OAuthError('invalid_request', 'a compressed body is not accepted');
  if (Number(ctx.get('content-length')) > longest_body) throw tooLarge(ctx);
  return decodeUtf8(await readBytes(ctx));
}

/** By events: an iterator over a body of one chunk costs as much as all else that is done to read it. */
function readBytes(ctx: Context): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    ctx.req.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= longest_body) chunks.push(chunk);
      else reject(tooLarge(ctx));
    });
    ctx.req.on('end', () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)));
    ctx.req.on('error', reject); // also where the client goes away in the middle
  });
}

function tooLarge(ctx: Context): OAuthError {
  ctx.set('Connection', 'close'); // what is still on its way is not read
  return new OAuthError('invalid_request', `the body is larger than ${longest_body} bytes`, { status: 413 });
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decodeUtf8(bytes: Buffer): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new OAuthError('invalid_request', 'the body is not UTF-8', { cause });
  }
}
