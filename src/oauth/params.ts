/**
 * Parameters of a request, read strictly from their bytes: application/x-www-form-urlencoded (WHATWG URL §5.1) with
 * percent-encoding and UTF-8 that must be right, or a flat JSON object (RFC 8259). RFC 6749 §3.1: none more than once, an empty one
 * counts as absent.
 */
import { OAuthError } from './errors.js';

/** The longest value of a parameter, in characters, where no rule of its own says otherwise. */
const longest = 2048;

/** Parameters that may be longer than 2,048 characters: JWTs and JSON. */
const roomy: ReadonlyMap<string, number> = new Map([
  ['client_assertion', 16_384],
  ['id_token_hint', 16_384],
  ['claims', 16_384],
  ['request', 16_384],
  ['request_uri', 8192],
  ['access_token', 16_384],
  ['refresh_token', 16_384],
  ['token', 16_384],
  ['code', 16_384],
  ['passkey', 16_384],
]);

export class Params {
  readonly #values: ReadonlyMap<string, readonly string[]>;

  constructor(values: ReadonlyMap<string, readonly string[]>) {
    this.#values = values;
  }

  /** The parameter's value, or undefined where it is absent or empty. Throws `invalid_request` if it is sent twice or is too long. */
  get(name: string): string | undefined {
    const values = this.#values.get(name);
    if (values === undefined) return undefined;
    if (values.length > 1) throw new OAuthError('invalid_request', `${name} is sent more than once`);
    return checked(name, values[0] ?? '');
  }

  /** The parameter's value. Throws `invalid_request` naming it if it is absent. */
  require(name: string): string {
    const value = this.get(name);
    if (value === undefined) throw new OAuthError('invalid_request', `${name} is missing`);
    return value;
  }

  /** All values of a parameter that may be repeated (resource, RFC 8707 §2), without the empty ones. */
  all(name: string): readonly string[] {
    const values = this.#values.get(name) ?? [];
    if (values.length > 20) throw new OAuthError('invalid_request', `${name} is sent more than 20 times`);
    return values.flatMap((value) => checked(name, value) ?? []);
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  /** The same parameters, but those that `over` has too are its. */
  under(over: Params): Params {
    return new Params(new Map([...this.#values, ...over.#values]));
  }

  /** The same parameters with this one in the place of any of its name. */
  with(name: string, value: string): Params {
    return new Params(new Map([...this.#values, [name, [value]]]));
  }
}

function checked(name: string, value: string): string | undefined {
  const limit = roomy.get(name) ?? longest;
  if (value.length > limit)
    throw new OAuthError('invalid_request', `${name} is longer than ${limit} characters`);
  return value === '' ? undefined : value;
}

/**
 * Parses a query or a form body. Throws `invalid_request` on broken percent-encoding, on bytes that are not UTF-8 and on
 * U+0000, which no parameter of ours may hold.
 */
export function parseParams(encoded: string): Params {
  const values = new Map<string, string[]>();
  for (const pair of encoded.split('&')) {
    if (pair === '') continue;
    const at = pair.indexOf('=');
    const name = decode(at < 0 ? pair : pair.slice(0, at));
    const value = at < 0 ? '' : decode(pair.slice(at + 1));
    const seen = values.get(name);
    if (seen) seen.push(value);
    else values.set(name, [value]);
  }
  return new Params(values);
}

/**
 * Parses a JSON body: one object whose members are strings, or lists of strings where a parameter may be repeated. Throws
 * `invalid_request` on anything else, on a member that stands there twice (RFC 8259 §4: which of them counts is anybody's guess), on
 * U+0000 and on half a surrogate pair.
 */
export function parseJsonParams(text: string): Params {
  // Texts alone, or it throws: so all the members there are are those of this object.
  const members = new Map(
    Object.entries(parseObject(text)).map(([name, value]) => [name, textsOf(name, value)]),
  );
  if (members.size !== countMembers(text))
    throw new OAuthError('invalid_request', 'a member of the JSON body is sent more than once');
  return new Params(members);
}

/**
 * Parses a JSON object whose members may be anything, 20 levels deep at most. Throws `invalid_request` as parseJsonParams does; members
 * are counted at every level.
 */
export function parseJsonObject(text: string): Readonly<Record<string, unknown>> {
  const parsed = parseObject(text);
  if (countMembersOf(parsed, 20) !== countMembers(text))
    throw new OAuthError('invalid_request', 'a member of the JSON body is sent more than once');
  return { ...parsed };
}

/** How many members a value has, at every level. Throws where it is deeper, or holds a text that nothing of ours may hold. */
function countMembersOf(value: unknown, levels: number): number {
  if (typeof value === 'string') assertText(value);
  if (typeof value !== 'object' || value === null) return 0;
  if (levels === 0) throw new OAuthError('invalid_request', 'the body is nested too deeply');
  const names = Array.isArray(value) ? [] : Object.keys(value);
  names.forEach(assertText);
  const inner = Object.values(value).map((one) => countMembersOf(one, levels - 1));
  return inner.reduce((sum, count) => sum + count, names.length);
}

function assertText(text: string): void {
  if (/[\0\p{Surrogate}]/u.test(text))
    throw new OAuthError('invalid_request', 'the body holds a character that is not allowed');
}

function parseObject(text: string): object {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new OAuthError('invalid_request', 'the body is not JSON', { cause });
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw new OAuthError('invalid_request', 'the body must be a JSON object');
  return parsed;
}

/** The names in a JSON text, of inner objects too: a string before a colon is nothing else. */
function countMembers(json: string): number {
  const strings = json.match(/"[^"\\]*(?:\\.[^"\\]*)*"\s*:?/g) ?? [];
  return strings.filter((string) => string.endsWith(':')).length;
}

function textsOf(name: string, value: unknown): readonly string[] {
  const texts: readonly unknown[] = Array.isArray(value) ? value : [value];
  return texts.map((text) => {
    if (typeof text !== 'string')
      throw new OAuthError('invalid_request', `${name.slice(0, 100)} must be a string`);
    assertReadable(name, text);
    return text;
  });
}

/** Throws `invalid_request` where a text that came as JSON holds what no parameter may: U+0000, half a surrogate pair. */
export function assertReadable(name: string, text: string): void {
  if (/[\0\p{Surrogate}]/u.test(text))
    throw new OAuthError('invalid_request', `${name.slice(0, 100)} holds a character that is not allowed`);
}

/** Decodes one name or value. Exported for client_secret_basic, whose two halves are encoded the same way (RFC 6749 §2.3.1). */
export function decode(text: string): string {
  if (!/[%+\0\x80-\uffff]/.test(text)) return text;
  let decoded: string;
  try {
    decoded = decodeURIComponent(text.replaceAll('+', ' '));
  } catch (cause) {
    throw new OAuthError('invalid_request', 'a parameter has broken percent-encoding or is not UTF-8', {
      cause,
    });
  }
  if (decoded.includes('\0')) throw new OAuthError('invalid_request', 'a parameter holds U+0000');
  return decoded;
}
