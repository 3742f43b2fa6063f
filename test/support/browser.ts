/** A browser without a screen: keeps cookies, follows redirects one at a time, fills in forms. For the real one see chromium.ts. */
import { type Form, formBody } from './idp.js';

export interface Page {
  readonly status: number;
  readonly headers: Headers;
  readonly html: string;
  readonly url: string;
}

/** Gives Set-Cookie lines. */
type BeginSession = (email: string) => Promise<readonly string[]>;

const nowhere: BeginSession = async () => {
  throw new Error('no server of ours is there to be signed in at');
};

export class Browser {
  readonly #base: string;
  readonly #begin: BeginSession;
  readonly cookies = new Map<string, string>();

  /** `begin` starts a session of a person without the login page. */
  constructor(base: string, begin: BeginSession = nowhere) {
    this.#base = base;
    this.#begin = begin;
  }

  /** Gives it what it would have if this person had just signed in here by password. */
  async beSignedIn(email = 'ada@example.com'): Promise<void> {
    for (const line of await this.#begin(email)) this.#keep(line);
  }

  /** One request, no redirect followed. */
  async request(path: string, init: RequestInit = {}): Promise<Page> {
    const url = new URL(path, this.#base).href;
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = {
      ...(cookie !== '' && { cookie }),
      ...(init.headers as Record<string, string> | undefined),
    };
    const response = await fetch(url, { redirect: 'manual', ...init, headers });
    for (const line of response.headers.getSetCookie()) this.#keep(line);
    return { status: response.status, headers: response.headers, html: await response.text(), url };
  }

  get(path: string): Promise<Page> {
    return this.follow(this.request(path));
  }

  post(path: string, form: Form, headers: Record<string, string> = {}): Promise<Page> {
    return this.follow(this.request(path, { method: 'POST', body: formBody(form), headers }));
  }

  /** Follows redirects as long as they stay on the server; one that leaves it is the result. */
  async follow(first: Promise<Page>): Promise<Page> {
    let page = await first;
    for (let hops = 0; hops < 10; hops += 1) {
      const location = page.headers.get('location');
      if (page.status !== 303 || location === null || !isHere(location, this.#base)) return page;
      page = await this.request(location);
    }
    throw new Error('too many redirects');
  }

  /** Posts the form of a page with its hidden fields and these. */
  submit(page: Page, fields: Form): Promise<Page> {
    const { action, hidden } = formOf(page.html);
    return this.post(action, { ...hidden, ...fields });
  }

  #keep(line: string): void {
    const [pair = '', ...attributes] = line.split(';');
    const at = pair.indexOf('=');
    if (attributes.some((attribute) => attribute.trim() === 'Max-Age=0'))
      this.cookies.delete(pair.slice(0, at));
    else this.cookies.set(pair.slice(0, at), pair.slice(at + 1));
  }
}

function isHere(location: string, base: string): boolean {
  return location.startsWith('/') || location.startsWith(`${base}/`);
}

/** The first form of a page: where it goes and what it hides. */
export function formOf(html: string): { readonly action: string; readonly hidden: Record<string, string> } {
  const form = /<form[^>]*>[\s\S]*?<\/form>/.exec(html)?.[0];
  if (form === undefined) throw new Error(`there is no form in: ${html}`);
  const hidden: Record<string, string> = {};
  for (const [input] of form.matchAll(/<input[^>]*type="hidden"[^>]*>/g))
    hidden[attribute(input, 'name')] = attribute(input, 'value');
  return { action: attribute(form, 'action'), hidden };
}

export function attribute(tag: string, name: string): string {
  return unescapeHtml(new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1] ?? '');
}

const entities: Readonly<Record<string, string>> = {
  '&#34;': '"',
  '&#39;': "'",
  '&lt;': '<',
  '&gt;': '>',
  '&amp;': '&',
};

export function unescapeHtml(text: string): string {
  return text.replaceAll(/&(?:#34|#39|lt|gt|amp);/g, (entity) => entities[entity] ?? entity);
}
