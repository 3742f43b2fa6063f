/** Second factors of people in tests: an authenticator app, recovery codes. */
import { Secret, TOTP } from 'otpauth';
import { newRecoveryCodes, replaceRecoveryCodes } from '../../src/factors/recovery_code.js';
import { newTotpKey, sealKey } from '../../src/factors/totp.js';
import { newId } from '../../src/secrets.js';
import * as credentials from '../../src/store/credentials.js';
import { statement } from '../../src/store/statement.js';
import type { Browser, Page } from './browser.js';
import { signIn } from './flow.js';
import type { TestIdp } from './idp.js';

/** An authenticator app, as the other end sees it. */
export interface App {
  readonly id: string;
  /** The code that it shows `steps` from now. */
  code(steps?: number): string;
}

/** Gives somebody an authenticator app. */
export async function addApp(idp: TestIdp, user_id: string): Promise<App> {
  const key = newTotpKey();
  const id = newId();
  const secret = sealKey(await idp.deps.keys.get(), key, { id, user_id });
  const at = idp.now();
  await credentials.insert(idp.db, {
    id,
    user_id,
    type: 'totp',
    secret,
    name: 'Phone',
    created_at: at,
    updated_at: at,
  });
  return { id, code: (steps = 0) => codeOf(key, idp.now() + 30 * steps) };
}

/** What an authenticator app shows for a key at a time. */
export function codeOf(key: Buffer, at: number): string {
  return new TOTP({ secret: new Secret({ buffer: new Uint8Array(key).buffer }) }).generate({
    timestamp: at * 1000,
  });
}

/** A code of six digits that is not the app's, now or in the steps beside. */
export function wrongCode(app: App): string {
  const right = [-1, 0, 1].map((steps) => app.code(steps));
  return ['000000', '000001', '000002', '000003'].find((code) => !right.includes(code)) ?? '';
}

export async function addRecoveryCodes(idp: TestIdp, user_id: string): Promise<readonly string[]> {
  const ring = await idp.deps.keys.get();
  const codes = newRecoveryCodes();
  await idp.db.transaction((trx) => replaceRecoveryCodes(trx, ring, { user_id, codes }, idp.now()));
  return codes;
}

/** An app that read this secret from a page, in the time of a server. */
export function appOf(secret: string, idp: Pick<TestIdp, 'now'>): Pick<App, 'code'> {
  const totp = new TOTP({ secret: secret.replaceAll(/\s/g, '') });
  return { code: (steps = 0) => totp.generate({ timestamp: (idp.now() + 30 * steps) * 1000 }) };
}

/** What an authenticator app shows that read the key from a page. */
export function codeOnPage(page: Page, at: number): string {
  const secret = /id="secret">([^<]+)</.exec(page.html)?.[1] ?? '';
  return appOf(secret, { now: () => at }).code();
}

/** Types the password in a new browser; the page that follows. */
export async function toFactor(
  idp: TestIdp,
  path = '/login',
  email = 'ada@example.com',
): Promise<{ browser: Browser; page: Page }> {
  const browser = idp.browser();
  return { browser, page: await signIn(browser, await browser.get(path), { email }) };
}

/** Types a code on the page of the second factor. */
export function typeCode(browser: Browser, page: Page, code: string): Promise<Page> {
  return browser.submit(page, { code, action: 'continue' });
}

const strengthen = statement<{ user_id: string }>((sql, value) =>
  sql('sessions').where({ user_id: value.user_id }).update({ amr: 'pwd otp mfa' }),
);

/** As if whoever is signed in had proved their second factor at a step of its own, as pages that change one ask. */
export async function proveFactors(idp: TestIdp, user_id: string): Promise<void> {
  await idp.db.run(strengthen, { user_id });
}
