import { describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../src/oauth/error_codes.js';
import type { Progress, Step } from '../../src/oauth/next_step.js';
import { able, begun, fresh, given, now, one, outcome, phr, session, two } from '../support/progress.js';

describe('the next step of an authorization request (OpenID Connect Core §3.1.2.1)', () => {
  test.each<[string, Step | ErrorCode, Step | ErrorCode, Partial<Progress>]>([
    ['nothing is missing', 'respond', 'respond', {}],
    ['nobody is signed in', 'login', 'login_required', { session: null }],
    ['a new account is asked for', 'register', 'login_required', { session: null, prompt: ['create'] }],
    ['a new account is asked for, and somebody is signed in', 'register', 'respond', { prompt: ['create'] }],
    [
      'a new account is asked for, and was made',
      'respond',
      'respond',
      { prompt: ['create'], session: fresh },
    ],
    ['something is to be agreed to', 'consent', 'consent_required', { to_approve: ['email'] }],
    ['consent is asked each time', 'consent', 'consent_required', { consent_each_time: true }],
    ['nothing was ever agreed to, and nothing need be', 'respond', 'respond', { consent: null }],
    ['the session is younger than max_age', 'respond', 'respond', { max_age: 3601 }],
    ['the session is as old as max_age', 'respond', 'respond', { max_age: 3600 }],
    ['the session is older than max_age', 'login', 'login_required', { max_age: 3599 }],
    ['max_age is 0', 'login', 'login_required', { max_age: 0 }],
    ['max_age is 0 and somebody signed in for it', 'respond', 'respond', { max_age: 0, session: fresh }],
    ['the user is the one asked for', 'respond', 'respond', { required_subs: ['ada'] }],
    ['the user is one of those asked for', 'respond', 'respond', { required_subs: ['bob', 'ada'] }],
    ['another user is asked for', 'login', 'login_required', { required_subs: ['bob'] }],
    ['no user could be the one asked for', 'login', 'login_required', { required_subs: [] }],
    [
      'another user signed in for it than was asked for',
      'login_required',
      'login_required',
      { required_subs: ['bob'], session: fresh },
    ],
    [
      'the account is about to be deleted',
      'keep_account',
      'interaction_required',
      { session: { ...session, deletes_at: now + 100 } },
    ],
    ['the acr is the one asked for', 'respond', 'respond', { required_acrs: [two, one] }],
    [
      'the acr asked for cannot be reached',
      'unmet_authentication_requirements',
      'unmet_authentication_requirements',
      { required_acrs: [two] },
    ],
    [
      'a stronger acr is there than asked for',
      'respond',
      'respond',
      { required_acrs: [two], session: { ...session, acr: phr } },
    ],
    [
      'the acr asked for can be reached',
      'factor',
      'interaction_required',
      { required_acrs: [two], session: able },
    ],
    ['an acr is wanted that cannot be reached', 'respond', 'respond', { wanted_acrs: [phr], session: able }],
    ['an acr is wanted that can be reached', 'factor', 'respond', { wanted_acrs: [phr, two], session: able }],
    ['one of the acrs wanted is met', 'respond', 'respond', { wanted_acrs: [two, one], session: able }],
    ['a sign-in waits for its factor', 'factor', 'login_required', { session: null, sign_in: begun }],
    [
      'a sign-in waits for a factor to be set up',
      'enrol',
      'login_required',
      { session: null, sign_in: { ...begun, step: 'enrol' } },
    ],
    [
      'a sign-in waits, but of another than is asked for',
      'login',
      'login_required',
      { session: null, sign_in: begun, required_subs: ['bob'] },
    ],
    ['a sign-in waits, but a session will do', 'respond', 'respond', { sign_in: begun }],
    [
      'a sign-in waits that began before a request with max_age',
      'login',
      'login_required',
      { session: null, sign_in: begun, max_age: 9 },
    ],
    [
      'a sign-in waits that began for a request with max_age',
      'factor',
      'login_required',
      { session: null, sign_in: { ...begun, auth_request: 'this' }, max_age: 9 },
    ],
  ])('when %s: %s, and with prompt=none %s', (_, step, silent, changes) => {
    expect(outcome(changes)).toBe(step);
    expect(outcome({ ...changes, prompt: ['none'] })).toBe(silent);
  });

  test.each<[string, Step, Partial<Progress>]>([
    ['login', 'login', { prompt: ['login'] }],
    ['login, begun before it', 'login', { prompt: ['login'], sign_in: begun }],
    ['login, begun for it', 'factor', { prompt: ['login'], sign_in: { ...begun, auth_request: 'this' } }],
    ['login, done for it', 'respond', { prompt: ['login'], session: fresh }],
    [
      'login, done since in another tab',
      'respond',
      { prompt: ['login'], session: { ...session, auth_time: now - 9 } },
    ],
    [
      'login, done in the second it came, for another',
      'login',
      { prompt: ['login'], session: { ...session, auth_time: now - 10 } },
    ],
    ['select_account', 'select_account', { prompt: ['select_account'] }],
    [
      'select_account, done for it',
      'respond',
      { prompt: ['select_account'], session: { ...session, selected_request: 'this' } },
    ],
    [
      'select_account, done since',
      'respond',
      { prompt: ['select_account'], session: { ...session, selected_at: now } },
    ],
    [
      'select_account, met by signing in as another',
      'respond',
      { prompt: ['select_account'], session: fresh },
    ],
    ['consent', 'consent', { prompt: ['consent'] }],
    [
      'consent, given for it',
      'respond',
      { prompt: ['consent'], consent: { ...given, granted_request: 'this' } },
    ],
    ['consent, given since', 'respond', { prompt: ['consent'], consent: { ...given, granted_at: now } }],
    ['consent, never given', 'consent', { prompt: ['consent'], consent: null }],
    ['all: first login', 'login', { prompt: ['login', 'select_account', 'consent'] }],
    ['all: then consent', 'consent', { prompt: ['login', 'select_account', 'consent'], session: fresh }],
    [
      'select_account and consent: first the account',
      'select_account',
      { prompt: ['select_account', 'consent'] },
    ],
  ])('prompt=%s leads to %s', (_, step, changes) => {
    expect(outcome(changes)).toBe(step);
  });

  test('consent each time is consent for this request, not for an earlier one', () => {
    expect(outcome({ consent_each_time: true, consent: { ...given, granted_request: 'this' } })).toBe(
      'respond',
    );
    expect(outcome({ consent_each_time: true, consent: given })).toBe('consent');
  });
});
