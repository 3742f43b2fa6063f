/** A server with one person and one application, ready for the token endpoint. */
import type { Event, EventRow } from '../../src/store/events.js';
import type { RefreshTokenRow } from '../../src/store/refresh_tokens.js';
import { statement } from '../../src/store/statement.js';
import { getCode, getTokens, redeem, refresh } from './flow.js';
import { type Form, type IdpOptions, startIdp, type TestIdp, type TestUser } from './idp.js';

export interface ShopOptions extends IdpOptions {
  /** What is changed in the usual confidential client. */
  readonly metadata?: object;
  readonly user?: Partial<TestUser>;
}

export type Shop = Awaited<ReturnType<typeof startShop>>;

/** Starts it. The browser signs in when a code is asked for first. */
export async function startShop({ metadata, user, ...options }: ShopOptions = {}) {
  const idp = await startIdp(options);
  const ada = await idp.addUser(user);
  const shop = await idp.addClient(metadata, 'shop');
  const browser = idp.browser();
  return {
    idp,
    user: ada,
    shop,
    browser,
    code: (changes: Form = {}) => getCode(browser, 'shop', changes),
    tokens: (changes: Form = {}) => getTokens(idp, shop, changes, browser),
    redeem: (code: string, changes: Form = {}) => redeem(idp, shop, code, changes),
    refresh: (refresh_token: string, changes: Form = {}) => refresh(idp, shop, refresh_token, changes),
  };
}

/** A client without a secret, whose refresh tokens are replaced at each use. */
export const publicClient = { token_endpoint_auth_method: 'none' } as const;

/** Without PKCE, as some server-side libraries still ask. */
export const withoutPkce: Form = { code_challenge: undefined, code_challenge_method: undefined };

/** Sends the same request so many times at once. */
export function atOnce<T>(times: number, send: () => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: times }, send));
}

const eventsOfType = statement<{ type: string }, EventRow>((sql, value) =>
  sql('events').where({ type: value.type }),
);

/** What the audit trail holds of one type. */
export function eventsOf(idp: TestIdp, type: Event['type']): Promise<EventRow[]> {
  return idp.db.all(eventsOfType, { type });
}

const families = statement<Record<never, never>, RefreshTokenRow>((sql) => sql('refresh_tokens'));

/** All refresh token families, as a thief of the database would see them. */
export function familiesOf(idp: TestIdp): Promise<RefreshTokenRow[]> {
  return idp.db.all(families, {});
}
