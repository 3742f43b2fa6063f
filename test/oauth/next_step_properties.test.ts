/** What holds of every request, however far it has come. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { acrs, metBy } from '../../src/oauth/acr.js';
import type { ErrorCode } from '../../src/oauth/error_codes.js';
import type { Progress, Step } from '../../src/oauth/next_step.js';
import { promptsOf } from '../../src/oauth/prompt.js';
import { now, one, outcome, phr, session, two } from '../support/progress.js';

const prompts = promptsOf('open');

describe('properties of the next step', () => {
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
