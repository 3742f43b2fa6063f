/**
 * A real browser: one for each worker, an empty profile (a "visit") for each test. Whatever a page complains of (a script's
 * error, a violation of the content security policy, a request that fails or leaves this machine) fails the test.
 * Decisions 33: never skipped.
 */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from 'playwright-core';
import { expect, onTestFinished } from 'vitest';
import { signIn } from './flow.js';
import { password, type TestIdp } from './idp.js';

const args = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--in-process-gpu',
  '--renderer-process-limit=1',
  '--process-per-site',
  '--host-resolver-rules=MAP localhost 127.0.0.1, MAP *.localhost 127.0.0.1', // our test servers have no ::1
  ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
];

const commands = [
  'chromium',
  'chromium-browser',
  'google-chrome',
  'google-chrome-stable',
  'microsoft-edge',
  'microsoft-edge-stable',
];

/** Where installers put it without touching PATH. */
const usualPlaces = [
  '/snap/bin/chromium',
  '/opt/google/chrome/chrome',
  '/opt/microsoft/msedge/msedge',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge',
  ...['PROGRAMFILES', 'PROGRAMFILES(X86)', 'LOCALAPPDATA'].flatMap((name) => {
    const folder = process.env[name];
    const paths = ['Google/Chrome/Application/chrome.exe', 'Microsoft/Edge/Application/msedge.exe'];
    return folder === undefined ? [] : paths.map((path) => join(folder, path));
  }),
];

/** The browser's program. Throws a sentence that says how to get one. */
export function findBrowser(
  env: Readonly<Record<string, string | undefined>> = process.env,
  places: readonly string[] = usualPlaces,
): string {
  const chosen = env.SALLYPORT_TEST_BROWSER;
  if (chosen !== undefined && chosen !== '') {
    if (existsSync(chosen)) return chosen;
    throw new Error(`SALLYPORT_TEST_BROWSER is ${chosen}, but there is no such file.`);
  }
  const folders = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const candidates = [
    ...commands.flatMap((command) => folders.map((folder) => join(folder, command))),
    ...places,
  ];
  const found = candidates.find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new Error(
    'The browser tests need Chromium, Chrome or Edge: install one (on Debian: apt-get install chromium), or set SALLYPORT_TEST_BROWSER to the path of its program.',
  );
}

let launched: Promise<Browser> | undefined;

/** Playwright ends it with the worker's process. */
function launch(): Promise<Browser> {
  launched ??= chromium.launch({ executablePath: findBrowser(), args });
  return launched;
}

export interface Visit {
  /** The first tab. */
  readonly page: Page;
  newTab(): Promise<Page>;
  clearCookies(): Promise<void>;
}

interface Profile {
  readonly context: BrowserContext;
  /** Stays open: a tab in a window that is there takes half the work of one that needs a window of its own. */
  readonly first_tab: Page;
}

/** Of visits that are over, by the options they were made with; nothing is left in them. */
const emptied = new Map<string, Profile[]>();

/** A browser that was never here before. */
export async function newVisit(options: BrowserContextOptions = {}): Promise<Visit> {
  const alike = JSON.stringify(options);
  const profile = emptied.get(alike)?.pop() ?? (await newProfile(options));
  const { context } = profile;
  const problems: string[] = [];
  context.on('page', (page) => collectProblems(page, problems));
  onTestFinished(async () => {
    await empty(profile);
    emptied.set(alike, [...(emptied.get(alike) ?? []), profile]);
    expect(problems, 'what the pages complained of').toEqual([]);
  });
  return {
    page: await context.newPage(),
    newTab: () => context.newPage(),
    clearCookies: () => context.clearCookies(),
  };
}

async function newProfile(options: BrowserContextOptions): Promise<Profile> {
  const context = await (await launch()).newContext({ locale: 'en-GB', ...options });
  context.setDefaultTimeout(20_000);
  return { context, first_tab: await context.newPage() };
}

/** Storage and caches need no emptying: each test has servers, and so origins, of its own. */
async function empty({ context, first_tab }: Profile): Promise<void> {
  const tabs = context.pages().filter((tab) => tab !== first_tab);
  await Promise.all(tabs.map((tab) => tab.close()));
  context.removeAllListeners('page');
  await context.clearCookies();
}

function collectProblems(page: Page, problems: string[]): void {
  page.on('pageerror', (error) => problems.push(`script: ${error.message}`));
  page.on('console', (message) => {
    const told = message.text();
    // What the answers below tell better: a form that is shown again with an error is one of 4xx, and no fault.
    if (['error', 'warning'].includes(message.type()) && !told.startsWith('Failed to load resource'))
      problems.push(`console: ${told}`);
  });
  page.on('response', (response) => {
    const tolerated = response.request().isNavigationRequest() ? 500 : 400;
    if (response.status() >= tolerated) problems.push(`${response.status()} ${response.url()}`);
  });
  page.on('requestfailed', (request) => {
    const reason = request.failure()?.errorText ?? '';
    // A page that is left does not wait for its icon, and the icon is fetched at any moment, also while a server restarts.
    if (reason !== 'net::ERR_ABORTED' && !request.url().includes('/assets/favicon.svg'))
      problems.push(`failed: ${request.method()} ${request.url()} ${reason}`);
  });
  page.on('request', (request) => {
    const { protocol, hostname } = new URL(request.url());
    const here = hostname === '127.0.0.1' || hostname === 'localhost' || hostname.endsWith('.localhost');
    if (protocol !== 'data:' && !here) problems.push(`left this machine: ${request.url()}`);
  });
}

/** Presses a button or link that leads to another page, and waits until that is there. */
export async function follow(page: Page, selector: string): Promise<void> {
  const loaded = page.waitForEvent('load');
  await page.click(selector);
  await loaded;
}

/** Gives the browser of a tab the cookies of somebody who signed in, without a page that is drawn for it. */
export async function beSignedIn(page: Page, idp: TestIdp, email = 'ada@example.com'): Promise<void> {
  const browser = idp.browser();
  await signIn(browser, await browser.get('/login'), { email });
  const cookies = [...browser.cookies].map(([name, value]) => ({ name, value, url: idp.issuer }));
  await page.context().addCookies(cookies);
}

/** Fills in the login page, sends it, and waits for the page that follows. */
export async function typeCredentials(
  page: Page,
  credentials: { readonly email?: string; readonly password?: string } = {},
): Promise<void> {
  await page.fill('#email', credentials.email ?? 'ada@example.com');
  await page.fill('#password', credentials.password ?? password);
  await follow(page, '#sign-in');
}
