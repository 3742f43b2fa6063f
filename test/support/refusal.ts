/** What a pure function refuses, as a value that a table can hold. */
import { expect } from 'vitest';
import type { ErrorCode } from '../../src/oauth/error_codes.js';
import { OAuthError } from '../../src/oauth/errors.js';

/** The code of the OAuthError that `work` throws; null if it throws nothing. Anything else it throws fails the test. */
export function refusalOf(work: () => unknown): ErrorCode | null {
  return refused(work)?.code ?? null;
}

/** The description of the OAuthError that `work` throws. */
export function descriptionOf(work: () => unknown): string {
  const error = refused(work);
  expect(error, 'it was accepted').toBeInstanceOf(OAuthError);
  return error?.description ?? '';
}

function refused(work: () => unknown): OAuthError | null {
  try {
    work();
  } catch (error) {
    if (error instanceof OAuthError) return error;
    throw error;
  }
  return null;
}
