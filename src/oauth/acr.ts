/**
 * How strongly somebody signed in: the acr that follows from what was proved (amr). RFC 8176; OpenID Connect Extended Authentication Profile (EAP) ACR Values §2.
 */

/** From the weakest to the strongest: whoever reached one has met all before it. `phr`: resists phishing. */
export const acrs = ['urn:sallyport:acr:one-factor', 'urn:sallyport:acr:two-factor', 'phr'] as const;

type Acr = (typeof acrs)[number];

/**
 * The acr of what was proved: of two factors where amr says `mfa`, resisting phishing where a key was also proved (`pop`), which only
 * signs for the site it was made for.
 */
export function acrOf(amr: readonly string[]): Acr {
  if (!amr.includes('mfa')) return acrs[0];
  return amr.includes('pop') ? acrs[2] : acrs[1];
}
