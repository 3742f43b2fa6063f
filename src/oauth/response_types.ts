/**
 * Response types: what an authorization response gives out. A word for each thing, in any order. RFC 6749 §3.1.1; OAuth 2.0 Multiple
 * Response Type Encoding Practices §3–§5; OpenID Connect Core §3.
 */

export interface ResponseType {
  readonly code: boolean;
  readonly id_token: boolean;
  readonly token: boolean;
}

/** By their canonical names, whose words are in the order of the alphabet. */
export const responseTypes = {
  code: { code: true, id_token: false, token: false },
  none: { code: false, id_token: false, token: false },
  id_token: { code: false, id_token: true, token: false },
  'id_token token': { code: false, id_token: true, token: true },
  'code id_token': { code: true, id_token: true, token: false },
  'code token': { code: true, id_token: false, token: true },
  'code id_token token': { code: true, id_token: true, token: true },
} as const satisfies Record<string, ResponseType>;

export type ResponseTypeName = keyof typeof responseTypes;
export const responseTypeNames = Object.keys(responseTypes) as readonly ResponseTypeName[];

/** The canonical name of a response type, however its words are ordered. Undefined for one that there is not. */
export function canonicalResponseType(text: string): ResponseTypeName | undefined {
  const name = text.split(' ').sort().join(' ');
  return responseTypeNames.find((known) => known === name);
}

/**
 * Whether tokens would go through the browser, also of a type that there is not: then an answer is never in a query, which servers and
 * histories keep. Multiple Response Types §5.
 */
export function isFrontChannel(response_type: string): boolean {
  return /(^| )(id_token|token)( |$)/.test(response_type);
}
