import { expect, test } from 'vitest';
import { findBrowser } from '../support/find_browser.js';

test('without a browser the tests fail with one sentence, which names the command that installs one (decisions 33)', () => {
  expect(() => findBrowser({ PATH: '/nowhere' }, [])).toThrow(
    /^The browser tests need .* apt-get install chromium/,
  );
});

test('SALLYPORT_TEST_BROWSER chooses the browser', () => {
  expect(findBrowser({ SALLYPORT_TEST_BROWSER: process.execPath })).toBe(process.execPath);
  expect(() => findBrowser({ SALLYPORT_TEST_BROWSER: '/nowhere/chromium' })).toThrow(
    'SALLYPORT_TEST_BROWSER is /nowhere/chromium, but there is no such file.',
  );
});
