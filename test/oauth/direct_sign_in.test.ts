import { describe, expect, test } from 'vitest';
import { assertNothingMissing, assertOwnPage, directScope } from '../../src/oauth/direct_sign_in.js';
import type { Progress } from '../../src/oauth/next_step.js';
import { ready } from '../support/progress.js';
import { refusalOf } from '../support/refusal.js';

const now = 1000;
const session = {
  ...{ sub: 'ada', auth_time: now, auth_request: null, acr: 'urn:sallyport:acr:one-factor' },
  ...{ selected_at: now, selected_request: null, deletes_at: null, reachable_acrs: [] },
};
/** A sign-in by password that has just happened. */
const done: Progress = { ...ready, request_id: '', arrived_at: now, session, consent: null };

describe('what nextStep asks for beside the password is not passed over (decisions 29)', () => {
  test.each<[string, Partial<Progress>, string, number]>([
    ['no session', { session: null }, 'login_required', 401],
    [
      'a sign-in that is too old',
      { session: { ...session, auth_time: 1 }, max_age: 10 },
      'login_required',
      401,
    ],
    [
      'an account that is about to be deleted',
      { session: { ...session, deletes_at: now + 100 } },
      'interaction_required',
      401,
    ],
    ['another person', { required_subs: ['grace'] }, 'login_required', 401],
    ['a choice of account', { prompt: ['select_account'] }, 'account_selection_required', 401],
    ['something to approve', { to_approve: ['email'] }, 'consent_required', 401],
    [
      'a second factor',
      { required_acrs: ['mfa'], session: { ...session, reachable_acrs: ['mfa'] } },
      'mfa_required',
      401,
    ],
    ['a stronger sign-in', { required_acrs: ['mfa'] }, 'unmet_authentication_requirements', 400],
  ])('%s', (_, changes, code, status) => {
    const progress = { ...done, ...changes };
    expect(refusalOf(() => assertNothingMissing(progress, now))).toBe(code);
    expect(() => assertNothingMissing(progress, now)).toThrow(expect.objectContaining({ status }));
  });

  test('nothing', () => {
    expect(() => assertNothingMissing(done, now)).not.toThrow();
  });
});

describe('whose page it is', () => {
  const client = { allowed_origins: ['https://www.example.com', 'https://example.com'] };
  const own = 'https://example.com';

  test.each([
    ['POST', own, '', true, true],
    ['POST', own, 'same-site', true, true],
    ['POST', own, 'same-origin', true, true],
    ['POST', own, 'cross-site', false, true],
    ['POST', '', '', false, true],
    ['POST', '', 'none', false, true],
    ['POST', '', 'same-origin', false, true],
    ['POST', '', 'cross-site', false, false],
    ['POST', 'null', 'same-site', false, false],
    ['POST', 'https://evil.example', 'same-site', false, false],
    ['GET', '', '', true, true],
    ['GET', '', 'same-origin', true, true],
    ['GET', '', 'cross-site', false, false],
    ['GET', own, 'same-site', true, true],
    ['GET', 'https://evil.example', '', false, false],
  ])('%s, Origin %j, Sec-Fetch-Site %j: cookies %s, bearer %s', (method, origin, site, cookie, bearer) => {
    const passes = (mode: 'cookie' | 'bearer') =>
      refusalOf(() => assertOwnPage(client, { method, origin, site }, mode)) === null;
    expect([passes('cookie'), passes('bearer')]).toEqual([cookie, bearer]);
  });
});

test('the scope is what was asked for, or all there is; offline_access is never part of it', () => {
  const client = { scope: 'openid email offline_access' };
  expect(directScope(client, undefined)).toEqual(['openid', 'email']);
  expect(directScope(client, '')).toEqual(['openid', 'email']);
  expect(directScope(client, 'email')).toEqual(['email']);
  for (const scope of ['offline_access', 'openid phone', 'openid \u0001'])
    expect(refusalOf(() => directScope(client, scope))).toBe('invalid_scope');
});
