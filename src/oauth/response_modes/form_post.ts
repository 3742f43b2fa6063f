/** response_mode=form_post: the parameters are posted by a page that submits itself. OAuth Form Post Response Mode §2. */
import type { RegisteredRedirectUri } from '../redirect_uri.js';

export const form_post = {
  response_mode: 'form_post',

  respond(
    redirect_uri: RegisteredRedirectUri,
    parameters: Readonly<Record<string, string>>,
  ): {
    readonly form: { readonly action: string; readonly fields: readonly { name: string; value: string }[] };
  } {
    const fields = Object.entries(parameters).map(([name, value]) => ({ name, value }));
    return { form: { action: redirect_uri, fields } };
  },
} as const;
