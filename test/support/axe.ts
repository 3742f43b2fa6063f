/** What axe finds wrong with a page. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';

const require = createRequire(import.meta.url);
/** The small one: it takes half as long to send as the one for people to read. */
const source = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

/** Puts axe into a page, once for each that is loaded. */
export async function bringAxe(page: Page): Promise<void> {
  await page.evaluate(source);
}

/** By all rules that axe runs by itself, or by these alone. */
export async function violations(page: Page, rules?: readonly string[]): Promise<unknown> {
  // Without a list of all that is right, and without a copy of the style sheets, which no rule that runs here reads.
  const options = { resultTypes: ['violations'], preload: false, ...(rules && { runOnly: rules }) };
  return page.evaluate(`axe.run(document, ${JSON.stringify(options)}).then(({ violations }) =>
    violations.map(({ id, nodes }) => [id, ...nodes.map((node) => node.html + ' ' + node.failureSummary)]))`);
}
