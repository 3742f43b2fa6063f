import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { acrs, metBy } from '../../src/oauth/acr.js';
import type { ErrorCode } from '../../src/oauth/error_codes.js';
import { nextStep, type Progress, type Step } from '../../src/oauth/next_step.js';
import { promptsOf } from '../../src/oauth/prompt.js';
import { refusalOf } from '../support/refusal.js';

const prompts = promptsOf('open');

const now = 1_000_000;
const [one, two, phr] = acrs;
type Session = NonNullable<Progress['session']>;
type Consent = NonNullable<Progress['consent']>;

/** Signed in an hour before the request came. */
const session: Session = {
  sub: 'ada',
  auth_time: now - 3600,
  auth_request: 'earlier',
  selected_at: now - 3600,
  selected_request: 'earlier',
  acr: one,
  deletes_at: null,
  reachable_acrs: [],
};
const given: Consent = { granted_at: now - 1800, granted_request: 'earlier' };

/** A request that needs nothing more. */
const ready: Progress = {
  request_id: 'this',
  arrived_at: now - 10,
  prompt: [],
  max_age: null,
  required_subs: null,
  required_acrs: null,
  wanted_acrs: [],
  sign_in: null,
  session,
  to_approve: [],
  consent: given,
  consent_each_time: false,
};

/** Signed in by a password, with an authenticator app at hand. */
const able: Session = { ...session, reachable_acrs: [one, two] };
/** A sign-in that began before the request came. */
const begun = { sub: 'ada', created_at: now - 60, auth_request: 'earlier', step: 'factor' } as const;

/** What comes next, or the code of the error for the client. */
function outcome(changes: Partial<Progress>, at = now): Step | ErrorCode {
  const progress = { ...ready, ...changes };
  return refusalOf(() => nextStep(progress, at)) ?? nextStep(progress, at);
}

const fresh: Session = { ...session, auth_time: now - 5, auth_request: 'this', selected_request: 'this' };

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

describe('properties', () => {
  const when = fc.constantFrom(now - 3600, now - 11, now - 10, now - 9, now);
  const which = fc.constantFrom(null, 'this', 'earlier');
  const someSession = fc.record({
    sub: fc.constantFrom('ada', 'bob'),
    auth_time: when,
    auth_request: which,
    selected_at: when,
    selected_request: which,
    acr: fc.constantFrom(one, two),
    deletes_at: fc.constantFrom(null, null, now + 100),
    reachable_acrs: fc.constantFrom([], [one, two], [...acrs]),
  });
  const someSignIn = fc.record({
    sub: fc.constantFrom('ada', 'bob'),
    created_at: when,
    auth_request: which,
    step: fc.constantFrom('factor', 'enrol'),
  });
  const subset = <T>(...all: readonly T[]) => fc.option(fc.subarray([...all]), { nil: null });
  const anything: fc.Arbitrary<Progress> = fc.record({
    request_id: fc.constant('this'),
    arrived_at: fc.constant(now - 10),
    prompt: fc.subarray([...prompts]),
    max_age: fc.option(fc.constantFrom(0, 1, 10, 3599, 3600, 10_000), { nil: null }),
    required_subs: subset('ada', 'bob', 'eve'),
    required_acrs: subset(one, two, phr, 'three'),
    wanted_acrs: fc.subarray([...acrs]),
    sign_in: fc.option(someSignIn, { nil: null }),
    session: fc.option(someSession, { nil: null }),
    to_approve: fc.subarray(['sign_in', 'email']),
    consent: fc.option(fc.record({ granted_at: when, granted_request: which }), { nil: null }),
    consent_each_time: fc.boolean(),
  });
  const runs = { numRuns: 2000 };

  test('prompt=none never leads to a page (OpenID Connect Core §3.1.2.6, INT-01)', () => {
    fc.assert(
      fc.property(anything, (progress) => {
        const result = outcome({ ...progress, prompt: ['none'] });
        expect([
          'login',
          'register',
          'factor',
          'enrol',
          'keep_account',
          'select_account',
          'consent',
        ]).not.toContain(result);
      }),
      runs,
    );
  });

  test('there is no answer without a session, for another user, or with another acr than was demanded (INT-08, INT-09)', () => {
    fc.assert(
      fc.property(anything, (progress) => {
        if (outcome(progress) !== 'respond') return;
        expect(progress.session).not.toBeNull();
        expect(progress.session?.deletes_at).toBeNull();
        if (progress.required_subs !== null) expect(progress.required_subs).toContain(progress.session?.sub);
        if (progress.required_acrs !== null)
          expect(
            metBy(progress.session?.acr ?? '').some((acr) => progress.required_acrs?.includes(acr)),
          ).toBe(true);
      }),
      runs,
    );
  });

  test('there is no answer before everything is agreed to, nor from a session that is too old', () => {
    fc.assert(
      fc.property(anything, (progress) => {
        if (outcome(progress) !== 'respond') return;
        expect(progress.to_approve).toEqual([]);
        const { max_age, session: used } = progress;
        if (max_age === null || used === null || used.auth_request === 'this') return;
        expect(used.auth_time > progress.arrived_at || now - used.auth_time <= max_age).toBe(true);
      }),
      runs,
    );
  });

  test('what a request could do without asking, it can also do silently', () => {
    fc.assert(
      fc.property(anything, (progress) => {
        if (outcome({ ...progress, prompt: [] }) !== 'respond') return;
        expect(outcome({ ...progress, prompt: ['none'] })).toBe('respond');
      }),
      runs,
    );
  });

  test('whoever does what is asked is not asked for it again, and comes to an end in six steps', () => {
    const persons = fc.constantFrom('ada', 'bob');
    fc.assert(
      fc.property(anything, persons, fc.integer({ min: 0, max: 800 }), (first, person, seconds) => {
        let progress = first;
        let at = now;
        const seen: (Step | ErrorCode)[] = [];
        for (let step = outcome(progress, at); isPage(step); step = outcome(progress, at)) {
          expect(seen).not.toContain(step);
          seen.push(step);
          at += seconds;
          progress = done(progress, step, person, at);
        }
        expect(seen.length).toBeLessThanOrEqual(6);
      }),
      runs,
    );
  });

  type PageStep = Exclude<Step, 'respond'>;
  function isPage(step: Step | ErrorCode): step is PageStep {
    return ['login', 'register', 'factor', 'enrol', 'keep_account', 'select_account', 'consent'].includes(
      step,
    );
  }

  /** Whether the factor completes a sign-in, rather than make a session stronger: then without the sign-in the login page comes. */
  function signsInFirst(progress: Progress, at: number): boolean {
    return ['login', 'register'].includes(outcome({ ...progress, sign_in: null }, at));
  }

  /** What is stored when the person did it, as the actions store it. */
  function done(progress: Progress, step: PageStep, person: string, at: number): Progress {
    const signedIn = {
      ...session,
      sub: person,
      auth_time: at,
      auth_request: 'this',
      selected_at: at,
      selected_request: 'this',
    };
    const { sign_in, session: there } = progress;
    if (step === 'login' || step === 'register') return { ...progress, session: signedIn, sign_in: null };
    if (step === 'enrol' || (step === 'factor' && sign_in !== null && signsInFirst(progress, at)))
      return { ...progress, session: { ...signedIn, sub: sign_in?.sub ?? person, acr: two }, sign_in: null };
    if (step === 'factor')
      return { ...progress, session: there && { ...there, acr: there.reachable_acrs.at(-1) ?? one } };
    if (step === 'keep_account') return { ...progress, session: there && { ...there, deletes_at: null } };
    if (step === 'consent')
      return { ...progress, to_approve: [], consent: { granted_at: at, granted_request: 'this' } };
    return {
      ...progress,
      session: progress.session && { ...progress.session, selected_at: at, selected_request: 'this' },
    };
  }
});
