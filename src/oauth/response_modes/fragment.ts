/** response_mode=fragment: the parameters are behind the redirect URI's #, which the browser sends to no server. Multiple Response Types §2.1. */
import type { RegisteredRedirectUri } from '../redirect_uri.js';

export const fragment = {
  response_mode: 'fragment',

  /** A registered redirect URI has no fragment of its own (RFC 6749 §3.1.2). */
  respond(
    redirect_uri: RegisteredRedirectUri,
    parameters: Readonly<Record<string, string>>,
  ): { readonly redirect: string } {
    return { redirect: `${redirect_uri}#${new URLSearchParams(parameters)}` };
  },
} as const;
