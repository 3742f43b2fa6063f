/** What a server has answered with success, kept by those whom it answered: to be held against it after a crash. */
import { Browser, type Page } from './browser.js';
import { authorizeUrl, signIn } from './flow.js';
import { basic, code_verifier, type JsonAnswer, password, post, redirect_uri } from './idp.js';

interface Code {
  readonly code: string;
  /** Sent: it was on its way when the server died, so both outcomes are right. */
  state: 'fresh' | 'sent' | 'spent';
}

interface Family {
  /** The last refresh token that was answered, and those it replaced. */
  token: string;
  readonly older: string[];
  readonly access_token: string;
}

export interface App {
  readonly url: string;
  readonly client_id: string;
  readonly client_secret: string;
}

export class Ledger {
  readonly browsers: Browser[] = [];
  readonly codes: Code[] = [];
  readonly families: Family[] = [];
  /** Answers that were not what a healthy server says. */
  readonly faults: string[] = [];
  answers = 0;
  #waiting: { readonly answers: number; readonly go: () => void } | null = null;

  /** Resolves when so many more answers have come. */
  after(answers: number): Promise<void> {
    return new Promise((go) => {
      this.#waiting = { answers: this.answers + answers, go };
    });
  }

  count(): void {
    this.answers += 1;
    if (this.#waiting && this.answers >= this.#waiting.answers) this.#waiting.go();
  }
}

function tokenRequest(app: App, form: Record<string, string>): Promise<JsonAnswer> {
  return post(`${app.url}/token`, form, basic(app.client_id, app.client_secret));
}

export const redeemCode = (app: App, code: string) =>
  tokenRequest(app, { grant_type: 'authorization_code', code, redirect_uri, code_verifier });

export const refreshFamily = (app: App, refresh_token: string) =>
  tokenRequest(app, { grant_type: 'refresh_token', refresh_token });

/** Signs in, gets codes, redeems, refreshes, over and over, until the server is gone. */
export async function workUntilGone(app: App, ledger: Ledger): Promise<void> {
  try {
    for (;;) await oneVisit(app, ledger);
  } catch (error) {
    const gone = error instanceof TypeError && error.cause !== undefined; // how fetch says that there was no answer
    if (!gone) ledger.faults.push(String(error));
  }
}

async function oneVisit(app: App, ledger: Ledger): Promise<void> {
  const browser = new Browser(app.url);
  ledger.browsers.push(browser);
  const first = await visit(app, ledger, browser);
  await visit(app, ledger, browser); // nobody redeems this one before the crash
  const family = await spend(app, ledger, first);
  for (let round = 0; round < 3; round += 1) {
    const { status, body } = await refreshFamily(app, family.token);
    if (status !== 200) throw new Error(`refresh: ${status} ${JSON.stringify(body)}`);
    family.older.push(family.token);
    family.token = body.refresh_token;
    ledger.count();
  }
}

async function visit(app: App, ledger: Ledger, browser: Browser): Promise<Code> {
  let page = await browser.get(authorizeUrl(app.client_id));
  if (page.html.includes('name="password"')) page = await signIn(browser, page, { password });
  const entry: Code = { code: codeOf(page), state: 'fresh' };
  ledger.codes.push(entry);
  ledger.count();
  return entry;
}

function codeOf(page: Page): string {
  const location = page.headers.get('location') ?? 'http://none';
  const code = new URL(location).searchParams.get('code');
  if (code === null) throw new Error(`no code: ${page.status} ${location} ${page.html}`);
  return code;
}

async function spend(app: App, ledger: Ledger, entry: Code): Promise<Family> {
  entry.state = 'sent';
  const { status, body } = await redeemCode(app, entry.code);
  if (status !== 200) throw new Error(`code: ${status} ${JSON.stringify(body)}`);
  entry.state = 'spent';
  const family = { token: body.refresh_token, older: [], access_token: body.access_token };
  ledger.families.push(family);
  ledger.count();
  return family;
}
