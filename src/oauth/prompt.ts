/** The prompt parameter. OpenID Connect Core §3.1.2.1. */
import { OAuthError } from './errors.js';

/** What the login flow can be told to do, in the order in which it is done. */
const always = ['none', 'login', 'select_account', 'consent'] as const;
export type Prompt = (typeof always)[number] | 'create';

/** The values that are supported: `create` where everybody may make an account. Initiating User Registration 1.0 §4.1. */
export function promptsOf(registration: 'closed' | 'invitation' | 'open'): readonly Prompt[] {
  return registration === 'open' ? [...always, 'create'] : always;
}

/** Throws `invalid_request` on a value that is not supported. It is answered with a page of status 400: Prompt Create 1.0 §4. */
export function assertPromptSupported(prompt: string | undefined, supported: readonly Prompt[]): void {
  const unknown = wordsOf(prompt).find((word) => !supported.some((known) => known === word));
  if (unknown !== undefined) throw new OAuthError('invalid_request', `prompt ${unknown} is not supported`);
}

/** The values of prompt. Throws `invalid_request` on one that is not supported, or where `none` stands with another. */
export function parsePrompt(prompt: string | undefined, supported: readonly Prompt[]): ReadonlySet<Prompt> {
  assertPromptSupported(prompt, supported);
  const words = wordsOf(prompt);
  const parsed = new Set(supported.filter((known) => words.includes(known)));
  if (parsed.has('none') && parsed.size > 1)
    throw new OAuthError('invalid_request', 'prompt none stands alone');
  return parsed;
}

function wordsOf(prompt: string | undefined): readonly string[] {
  return (prompt ?? '').split(' ').filter((word) => word !== '');
}
