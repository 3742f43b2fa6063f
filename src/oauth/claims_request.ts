/** The claims parameter: single claims asked for beside the scopes. OpenID Connect Core §5.5. */
import { z } from 'zod';
import { OAuthError } from './errors.js';

const claimRequest = z.union([
  z.null(),
  z.object({
    essential: z.boolean().optional(),
    value: z.unknown().optional(),
    values: z.array(z.unknown()).max(20).optional(),
  }),
]);
const member = z.record(z.string().max(200), z.unknown()).optional();
const claimsParameter = z.object({ userinfo: member, id_token: member });

/** What is asked of one claim. An empty object asks for it voluntarily. */
export interface ClaimRequest {
  readonly essential?: boolean;
  /** The texts one of which it must have, from `value` and `values`; empty if something else than a text was asked for. */
  readonly values?: readonly string[];
}

export interface ClaimsRequest {
  readonly userinfo: Readonly<Record<string, ClaimRequest>>;
  readonly id_token: Readonly<Record<string, ClaimRequest>>;
}

export const noClaims: ClaimsRequest = { userinfo: {}, id_token: {} };

/**
 * Parses the parameter and keeps what is `supported`; other claims and members are ignored, as §5.5 asks. Throws
 * `invalid_request` where it is not JSON of the right shape.
 */
export function parseClaimsRequest(
  claims: string | undefined,
  supported: ReadonlySet<string>,
): ClaimsRequest {
  if (claims === undefined) return noClaims;
  const parsed = claimsParameter.safeParse(parseJson(claims));
  if (!parsed.success)
    throw new OAuthError(
      'invalid_request',
      'claims is not a JSON object of the form in OpenID Connect Core 5.5',
    );
  return {
    userinfo: pick(parsed.data.userinfo, supported),
    id_token: pick(parsed.data.id_token, supported),
  };
}

function pick(
  requests: Record<string, unknown> | undefined,
  supported: ReadonlySet<string>,
): Record<string, ClaimRequest> {
  const picked = Object.entries(requests ?? {})
    .filter(([name]) => supported.has(name))
    .map(([name, request]) => [name, parseClaimRequest(name, request)] as const);
  return Object.fromEntries(picked);
}

function parseClaimRequest(name: string, request: unknown): ClaimRequest {
  const parsed = claimRequest.safeParse(request);
  if (!parsed.success)
    throw new OAuthError('invalid_request', `claims: what is asked of ${name} is not null or an object`);
  const { essential, value, values } = parsed.data ?? {};
  const limited = value !== undefined || values !== undefined;
  const wanted = [value, ...(values ?? [])].filter((text) => typeof text === 'string');
  return { ...(essential === true && { essential }), ...(limited && { values: wanted }) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new OAuthError('invalid_request', 'claims is not JSON', { cause });
  }
}

/** A stored request without what is not `allowed` any more. */
export function claimsAllowed(claims: ClaimsRequest, allowed: ReadonlySet<string>): ClaimsRequest {
  const keep = (requests: ClaimsRequest['userinfo']) =>
    Object.fromEntries(Object.entries(requests).filter(([name]) => allowed.has(name)));
  return { userinfo: keep(claims.userinfo), id_token: keep(claims.id_token) };
}

/** The names asked for in either place. */
export function requestedClaims(claims: ClaimsRequest): readonly string[] {
  return [...new Set([...Object.keys(claims.userinfo), ...Object.keys(claims.id_token)])];
}

/** The values that `sub` may have, in either place: the request succeeds for no other user. §5.5.1 and §3.1.2.2. */
export function requiredSubs(claims: ClaimsRequest): readonly string[] | null {
  const id_token = claims.id_token.sub?.values;
  const userinfo = claims.userinfo.sub?.values;
  if (id_token === undefined || userinfo === undefined) return id_token ?? userinfo ?? null;
  return id_token.filter((sub) => userinfo.includes(sub));
}

/** The values one of which `acr` should have, where it is not essential. §5.5.1.1. */
export function wantedAcrs(claims: ClaimsRequest): readonly string[] {
  const acr = claims.id_token.acr;
  return acr?.essential === true ? [] : (acr?.values ?? []);
}

/** The values one of which `acr` must have, where it is essential; null where any will do. §5.5.1.1. */
export function requiredAcrs(claims: ClaimsRequest): readonly string[] | null {
  const acr = claims.id_token.acr;
  return acr?.essential === true && acr.values !== undefined ? acr.values : null;
}
