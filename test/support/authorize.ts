/** Requests to the authorization endpoint, by GET and by POST, and what comes of them. */
import { expect } from 'vitest';
import { statement } from '../../src/store/statement.js';
import { attribute, type Browser, formOf, type Page, unescapeHtml } from './browser.js';
import { authorizeUrl, responseOf } from './flow.js';
import type { Form, TestIdp } from './idp.js';

export const methods = ['GET', 'POST'] as const;
export type Method = (typeof methods)[number];

/** Sends a good authorization request with these changes, and follows it as far as it stays on the server. */
export function ask(
  browser: Browser,
  client_id: string | undefined,
  changes: Form = {},
  method: Method = 'GET',
): Promise<Page> {
  const url = authorizeUrl(client_id ?? '', { ...changes, ...(client_id === undefined && { client_id }) });
  if (method === 'GET') return browser.get(url);
  const body = new URLSearchParams(url.slice('/authorize?'.length));
  return browser.follow(browser.request('/authorize', { method, body }));
}

/** A browser in which somebody signed in some time ago. */
export async function signedInBrowser(idp: TestIdp, email = 'ada@example.com'): Promise<Browser> {
  const browser = idp.browser();
  await browser.beSignedIn(email);
  idp.advance(100);
  return browser;
}

/** The text of a page's heading. */
export function headingOf(page: Page): string {
  const heading = /<h1[^>]*>([\s\S]*?)<\/h1>/.exec(page.html)?.[1] ?? '';
  return unescapeHtml(heading.replaceAll(/<[^>]*>/g, '')).trim();
}

/** What a page is: the name of its form's action, an answer to the client, or an error. */
export function kindOf(page: Page): string {
  const location = page.headers.get('location');
  if (location !== null) return `redirect to ${new URL(location).origin}`;
  if (page.html.includes('id="error-id"')) return `error page ${page.status}`;
  return formOf(page.html).action;
}

/** The parameters of an answer, whichever way it was sent. */
export function answerOf(page: Page): Record<string, string> {
  return page.status === 303 ? responseOf(page) : formOf(page.html).hidden;
}

/** The code of an answer; an error fails the test. */
export function codeOf(page: Page): string {
  const { code, error, error_description } = answerOf(page);
  expect([error, error_description]).toEqual([undefined, undefined]);
  return code ?? '';
}

/** That this is an error page for a person: no redirect, nothing to go on with. */
export function expectErrorPage(page: Page, status = 400): void {
  expect([page.status, page.headers.get('location')]).toEqual([status, null]);
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(page.headers.get('cache-control')).toBe('no-store');
  expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
  expect(page.html).toMatch(/id="error-id"[^>]*>[\w-]{22}</);
}

/** The sealed request that a page's form carries. */
export function sealOf(page: Page): string {
  return formOf(page.html).hidden.request ?? '';
}

/** Every image and link of a page. */
export function addressesOf(page: Page): readonly string[] {
  const tags = page.html.match(/<(?:img|a)\s[^>]*>/g) ?? [];
  return tags.map((tag) => attribute(tag, tag.startsWith('<img') ? 'src' : 'href'));
}

const sqliteTables = statement<Record<never, never>, { name: string }>((sql) =>
  sql('sqlite_master').select('name').where('type', 'table').orderBy('name'),
);

/** How many rows a table holds, on either engine. */
export async function countIn(
  idp: TestIdp,
  table: 'assertion_ids' | 'authorizations' | 'pushed_requests',
): Promise<number> {
  const count = statement<Record<never, never>, { rows: number | string }>((sql) =>
    sql(table).count('* as rows'),
  );
  return Number((await idp.db.first(count, {}))?.rows);
}

/** How many rows every table of an SQLite database holds. */
export async function countRows(idp: TestIdp): Promise<Record<string, number>> {
  const tables = await idp.db.all(sqliteTables, {});
  const counts = tables.map(async ({ name }) => {
    const count = statement<Record<never, never>, { rows: number }>((sql) => sql(name).count('* as rows'));
    return [name, (await idp.db.first(count, {}))?.rows ?? 0] as const;
  });
  return Object.fromEntries(await Promise.all(counts));
}
