/**
 * How strongly somebody signed in: the acr that follows from what was proved (amr), and the one that is told where a request asks for
 * some. RFC 8176; OpenID Connect Core §5.5.1.1; OpenID Connect Extended Authentication Profile (EAP) ACR Values §2.
 */

/** From the weakest to the strongest: whoever reached one has met all before it. `phr`: resists phishing. */
import { type ClaimsRequest, requiredAcrs, wantedAcrs } from './claims_request.js';

export const acrs = ['urn:sallyport:acr:one-factor', 'urn:sallyport:acr:two-factor', 'phr'] as const;

export type Acr = (typeof acrs)[number];

/** Whether two factors were proved. RFC 8176 §2. */
export function hasTwoFactors(amr: readonly string[]): boolean {
  return amr.includes('mfa');
}

/**
 * The acr of what was proved: of two factors where amr says `mfa`, resisting phishing where a key was also proved (`pop`), which only
 * signs for the site it was made for.
 */
export function acrOf(amr: readonly string[]): Acr {
  if (!hasTwoFactors(amr)) return acrs[0];
  return amr.includes('pop') ? acrs[2] : acrs[1];
}

/** What was proved when a second factor was added to what was there before: each word once, in the order they came. */
export function withFactor(amr: readonly string[], factor: readonly string[]): readonly string[] {
  return [...new Set([...amr, ...factor, 'mfa'])];
}

/** What a request asks of acr: `required` one of which must be met, null where any will do; `wanted`, the one it likes best first. */
export interface AskedAcrs {
  readonly required: readonly string[] | null;
  readonly wanted: readonly string[];
}

export function acrsOf({
  acr_values,
  claims,
}: {
  readonly acr_values: readonly string[];
  readonly claims: ClaimsRequest;
}): AskedAcrs {
  return { required: requiredAcrs(claims), wanted: [...acr_values, ...wantedAcrs(claims)] };
}

/** The acr values that a session of this acr meets: its own and all weaker ones. One that is none of ours meets itself. */
export function metBy(acr: string): readonly string[] {
  const known: readonly string[] = acrs;
  return known.includes(acr) ? known.slice(0, known.indexOf(acr) + 1) : [acr];
}

/**
 * The acr to tell an application: what it demanded or, else, the first of what it would like that is met; else what was reached.
 * `required` null where nothing is demanded.
 */
export function acrToTell(acr: string, { required, wanted }: AskedAcrs): string {
  const met = metBy(acr);
  return [...(required ?? []), ...wanted].find((value) => met.includes(value)) ?? acr;
}
