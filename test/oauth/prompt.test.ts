import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parsePrompt, promptsOf } from '../../src/oauth/prompt.js';
import { descriptionOf, refusalOf } from '../support/refusal.js';

const prompts = promptsOf('closed');

describe('prompt (OpenID Connect Core §3.1.2.1)', () => {
  test.each([
    [undefined, []],
    ['', []],
    ['none', ['none']],
    ['login', ['login']],
    ['consent', ['consent']],
    ['select_account', ['select_account']],
    ['consent login', ['login', 'consent']],
    ['consent select_account login', ['login', 'select_account', 'consent']],
    ['login login', ['login']],
  ])('%j is %j, in the order in which it is done', (prompt, parsed) => {
    expect([...parsePrompt(prompt, prompts)]).toEqual(parsed);
  });

  test.each([
    ['none login', 'prompt none stands alone'],
    ['consent none', 'prompt none stands alone'],
    ['none select_account consent login', 'prompt none stands alone'],
    ['create', 'prompt create is not supported'],
    ['login create', 'prompt create is not supported'],
    ['LOGIN', 'prompt LOGIN is not supported'],
    ['login,consent', 'prompt login,consent is not supported'],
    ['none\tlogin', 'prompt none?login is not supported'],
  ])('%j is refused: %s (INT-02)', (prompt, description) => {
    expect(refusalOf(() => parsePrompt(prompt, prompts))).toBe('invalid_request');
    expect(descriptionOf(() => parsePrompt(prompt, prompts))).toBe(description);
  });

  test('none never comes out with anything beside it', () => {
    const words = fc.array(fc.oneof(fc.constantFrom(...prompts), fc.string({ maxLength: 5 })));
    fc.assert(
      fc.property(words, (given) => {
        const refused = refusalOf(() => {
          const parsed = parsePrompt(given.join(' '), prompts);
          expect(parsed.has('none') && parsed.size > 1).toBe(false);
        });
        expect([null, 'invalid_request']).toContain(refused);
      }),
    );
  });
});
