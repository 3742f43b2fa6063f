/** People with passkeys, at a server whose issuer has a host name: browsers make none for an address. */
import { verifyRegistration } from '../../src/factors/webauthn.js';
import { registrationOptions, relyingParty } from '../../src/factors/webauthn_options.js';
import { newId } from '../../src/secrets.js';
import * as passkeys from '../../src/store/passkeys.js';
import { Authenticator, type AuthenticatorOptions } from './authenticator.js';
import { attribute, type Browser, unescapeHtml } from './browser.js';
import { formBody, type TestIdp } from './idp.js';

/** An authenticator with a passkey that the server knows as this person's. */
export async function givePasskey(
  idp: TestIdp,
  user: { readonly id: string; readonly email: string },
  { name = 'Phone', ...options }: Partial<AuthenticatorOptions> & { readonly name?: string } = {},
) {
  const rp = relyingParty(idp.config);
  if (rp === null) throw new Error('start the server with host: localhost');
  const challenge = 'AAAA';
  const authenticator = new Authenticator({ origin: rp.origin, ...options });
  const asked = registrationOptions(
    rp,
    { user_id: user.id, email: user.email, name: null, passkeys: [] },
    challenge,
  );
  const made = await verifyRegistration(rp, authenticator.create(asked), challenge);
  if ('refused' in made) throw new Error(made.refused);
  const row = { ...made, id: newId(), user_id: user.id, name, created_at: idp.now(), last_used_at: null };
  await passkeys.insert(idp.db, row);
  return { authenticator, row };
}

/** The form of a page that asks for a passkey. */
export function passkeyFormOf(html: string) {
  const form = /<form[^>]*\sdata-passkey="[\s\S]*?<\/form>/.exec(html)?.[0];
  if (form === undefined) throw new Error(`no form asks for a passkey in: ${html}`);
  const fields: Record<string, string> = {};
  for (const [input] of form.matchAll(/<input[^>]*type="hidden"[^>]*>/g))
    fields[attribute(input, 'name')] = attribute(input, 'value');
  const options = JSON.parse(unescapeHtml(attribute(form, 'data-passkey')));
  return { action: attribute(form, 'action'), fields, options };
}

/** Posts the answer of an authenticator; no redirect is followed. */
export function postPasskey(
  browser: Browser,
  { action, fields }: Pick<ReturnType<typeof passkeyFormOf>, 'action' | 'fields'>,
  passkey: string,
) {
  return browser.request(action, { method: 'POST', body: formBody({ ...fields, passkey }) });
}

/** The recovery codes that a page shows. */
export function codesIn(html: string): readonly string[] {
  return /<code[^>]*id="codes">([^<]*)</.exec(html)?.[1]?.split('\n') ?? [];
}
