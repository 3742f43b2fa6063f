/**
 * Request objects: an authorization request as a JWT that the client signed. What is here comes after the signature: whether it is for
 * this server, from this client and for now, and what of it counts. RFC 9101 §4–§6; OpenID Connect Core §6.
 */
import { OAuthError } from './errors.js';
import { assertReadable, Params } from './params.js';

/** A JWT whose signature is the client's. */
export interface VerifiedObject {
  readonly typ: string | undefined;
  readonly claims: Readonly<Record<string, unknown>>;
}

export interface ObjectRules {
  readonly client_id: string;
  readonly issuer: string;
  /** Whether what is not inside does not count: RFC 9101 §6.3, against OpenID Connect Core §6.1. */
  readonly complete: boolean;
  /** How long it may be valid and how old it may be, seconds: then its times and audience are required. Null for any. */
  readonly longest_seconds: number | null;
  readonly now: number;
}

/** Seconds that a client's clock may be ahead of ours. */
const skew_seconds = 10;
const farthest_seconds = 60;

/**
 * The parameters that count: those inside and, unless the object is to be complete, those beside it that are not inside. Throws
 * `invalid_request_object`.
 */
export function parametersOf(object: VerifiedObject, beside: Params, rules: ObjectRules): Params {
  const { claims } = object;
  assertKind(object, rules);
  assertAddressed(claims, rules);
  assertTimes(claims, rules);
  const inside = insideOf(claims);
  if (rules.complete) return inside;
  const response_type = inside.get('response_type');
  if (response_type !== undefined && response_type !== (beside.get('response_type') ?? response_type))
    throw invalid('response_type in it is another than beside it');
  return beside.under(inside);
}

/** It is no other kind of JWT, and could not be taken for a client assertion. RFC 9101 §4, §10.8. */
function assertKind({ typ, claims }: VerifiedObject, { client_id }: ObjectRules): void {
  if (typ !== undefined && !/^(application\/)?(jwt|oauth-authz-req\+jwt)$/i.test(typ))
    throw invalid('typ is of another kind of JWT');
  if ('request' in claims || 'request_uri' in claims) throw invalid('it holds request or request_uri');
  if (claims.sub === client_id) throw invalid('sub is the client: it could be taken for a client assertion');
}

function assertAddressed(claims: VerifiedObject['claims'], rules: ObjectRules): void {
  const { client_id, iss, aud } = claims;
  if (client_id !== rules.client_id && (client_id !== undefined || rules.complete))
    throw invalid('client_id in it is not that of the client');
  if (iss !== undefined && iss !== rules.client_id) throw invalid('iss is not the client');
  const strict = rules.longest_seconds !== null;
  if ((aud !== undefined || strict) && ![aud].flat().includes(rules.issuer))
    throw invalid('aud does not name the issuer');
}

function assertTimes(claims: VerifiedObject['claims'], { longest_seconds, now }: ObjectRules): void {
  const exp = timeOf(claims, 'exp');
  const nbf = timeOf(claims, 'nbf');
  const iat = timeOf(claims, 'iat');
  if (exp !== undefined && exp <= now) throw invalid('exp is in the past');
  if (nbf !== undefined && nbf > now + skew_seconds) throw invalid('nbf is in the future');
  if (iat !== undefined && iat > now + farthest_seconds) throw invalid('iat is in the future');
  if (longest_seconds === null) return;
  if (exp === undefined || nbf === undefined) throw invalid('exp and nbf are required');
  if (exp - nbf > longest_seconds || now - nbf > longest_seconds)
    throw invalid(`it is valid for longer, or is older, than ${longest_seconds} seconds`);
}

function timeOf(claims: VerifiedObject['claims'], name: string): number | undefined {
  const value = claims[name];
  if (value === undefined || (typeof value === 'number' && Number.isFinite(value))) return value;
  throw invalid(`${name} is not a number`);
}

/** Claims of the JWT itself; all others are parameters. */
const ofTheJwt = new Set(['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti']);

/** The claims as parameters: numbers as text, objects as JSON, a list as a parameter that is sent several times. RFC 9101 §4. */
function insideOf(claims: VerifiedObject['claims']): Params {
  const parameters = Object.entries(claims).filter(([name, value]) => !ofTheJwt.has(name) && value !== null);
  return new Params(new Map(parameters.map(([name, value]) => [name, textsOf(name, value)])));
}

function textsOf(name: string, value: unknown): readonly string[] {
  return (Array.isArray(value) ? value : [value]).map((one: unknown) => {
    const text = typeof one === 'string' ? one : JSON.stringify(one);
    assertReadable(name, text);
    return text;
  });
}

function invalid(why: string): OAuthError {
  return new OAuthError('invalid_request_object', `the request object is not accepted: ${why}`);
}
