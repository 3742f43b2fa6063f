/**
 * A real browser: one for each worker, an empty profile (a "visit") for each test. Whatever a page complains of (a script's
 * error, a violation of the content security policy, a request that fails or leaves this machine) fails the test.
 * Decisions 33: never skipped.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from 'playwright-core';
import { expect, onTestFinished } from 'vitest';
import { findBrowser } from './find_browser.js';
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
  // Instead of Playwright's list, of which it repeats what is needed here: a page of the same site takes the place of the one
  // before it, with a third less work than in a frame of its own (RenderDocument, the usual way, changes nothing that a page sees).
  '--enable-features=CDPScreenshotNewSurface,RenderDocument:level/crashed-frame',
  '--host-resolver-rules=MAP localhost 127.0.0.1, MAP *.localhost 127.0.0.1', // our test servers have no ::1
  ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
];

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
  /** Stays open from visit to visit: another tab, and the process that it begins with, take as much work as three pages. */
  readonly tab: Page;
  /** Stays open too, and keeps the processes of its sites. */
  readonly keeper: Page;
}

/** Of visits that are over, by the options they were made with; nothing is left in them. */
const emptied = new Map<string, Profile[]>();

const spoilt = new WeakSet<Page>();

/** For a test that changes its browser in a way that nothing takes back, such as its clock: no other test gets it. */
export function spoil(tab: Page): void {
  spoilt.add(tab);
}

/** A browser that was never here before. */
export async function newVisit(options: BrowserContextOptions = {}): Promise<Visit> {
  const alike = JSON.stringify(options);
  const profile = emptied.get(alike)?.pop() ?? (await newProfile(options));
  const { context, tab } = profile;
  const problems: string[] = [];
  collectProblems(tab, problems);
  context.on('page', (page) => collectProblems(page, problems));
  onTestFinished(async () => {
    if (spoilt.has(tab)) await context.close();
    else {
      await empty(profile);
      emptied.set(alike, [...(emptied.get(alike) ?? []), profile]);
    }
    expect(problems, 'what the pages complained of').toEqual([]);
  });
  return {
    page: tab,
    newTab: () => openTab(context),
    clearCookies: () => context.clearCookies(),
  };
}

async function newProfile(options: BrowserContextOptions): Promise<Profile> {
  const context = await (await launch()).newContext({ locale: 'en-GB', ...options });
  context.setDefaultTimeout(20_000);
  const keeper = await context.newPage();
  await keeper.goto(await waitingRoom());
  return { context, keeper, tab: await openTab(context) };
}

/** A tab that withholds the cookies of a site from its pages in frames of other sites, whatever this browser does by itself. */
async function openTab(context: BrowserContext): Promise<Page> {
  const tab = await context.newPage();
  const devtools = await context.newCDPSession(tab);
  await devtools.send('Network.enable'); // without it the next one is forgotten
  await devtools.send('Network.setCookieControls', {
    enableThirdPartyCookieRestriction: true,
  });
  return tab;
}

let waiting_room: Promise<string> | undefined;

/**
 * A page of the two sites where nearly all the tests are: while it is open their processes stay, with the scripts they have compiled.
 * Every other path is an empty page.
 */
function waitingRoom(): Promise<string> {
  waiting_room ??= new Promise((resolve) => {
    const server = createServer(({ url }, response) => {
      const { port } = server.address() as AddressInfo; // a TCP server has one
      response.setHeader('content-type', 'text/html');
      response.end(
        `<link rel="icon" href="data:,">${url === '/' ? `<iframe src="http://127.0.0.1:${port}/empty"></iframe>` : ''}`,
      );
    });
    server.unref().listen(0, '127.0.0.1', () => {
      resolve(`http://localhost:${(server.address() as AddressInfo).port}/`);
    });
  });
  return waiting_room;
}

/** What a test may listen to. */
const heard = ['console', 'pageerror', 'popup', 'request', 'requestfailed', 'response'];

/** Storage and caches need no emptying: each test has servers, and so origins, of its own. */
async function empty({ context, tab, keeper }: Profile): Promise<void> {
  for (const event of heard) tab.removeAllListeners(event);
  const others = context.pages().filter((each) => each !== tab && each !== keeper);
  await Promise.all(others.map((each) => each.close()));
  // Not about:blank, which may not fetch the icon that the page before it has just asked for, and complains.
  await tab.goto(`${await waitingRoom()}empty`);
  await Promise.all([
    tab.unrouteAll(),
    tab.setExtraHTTPHeaders({}),
    tab.emulateMedia({ media: null, colorScheme: null, reducedMotion: null }),
    tab.setViewportSize({ width: 1280, height: 720 }), // Playwright's own
    context.clearCookies(),
  ]);
  context.removeAllListeners('page');
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
  await browser.beSignedIn(email);
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
