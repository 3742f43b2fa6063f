/** The two pages that are shown where the app has none of its own: an error, and the question whether to sign out. */
import type { SignInError } from './errors.js';
import type { SignInPaths } from './settings.js';

const not_signing_in: ReadonlySet<SignInError['code']> = new Set([
  'cross_site',
  'logout_invalid',
  'method_not_allowed',
]);

/** What went wrong, and a link that tries again. */
export function errorPage(error: SignInError, { login }: Pick<SignInPaths, 'login'>): Response {
  const again = `${login}?${new URLSearchParams({ return_to: error.return_to ?? '/' })}`;
  const detail = error.error === undefined ? error.code : `${error.code}: ${error.error}`;
  const link = not_signing_in.has(error.code) ? '' : `<p><a href="${html(again)}">Sign in again</a></p>`;
  const body = `<h1>That did not work</h1><p>${html(error.message)}</p>${link}<p><small>${html(detail)}</small></p>`;
  return page('That did not work', body, error.status, {
    ...(error.status === 503 && { 'retry-after': '5' }),
  });
}

export function confirmPage({ logout }: Pick<SignInPaths, 'logout'>): Response {
  const form = `<form method="post" action="${html(logout)}"><button type="submit">Sign out</button></form>`;
  return page('Sign out', `<h1>Do you want to sign out?</h1>${form}<p><a href="/">No, go back</a></p>`);
}

/** An answer to the provider's own page, which frames it. OpenID Connect Front-Channel Logout §2. */
export function framedPage(issuer: string): Response {
  return page('Signed out', '', 200, {
    'content-security-policy': `default-src 'none'; frame-ancestors ${new URL(issuer).origin}`,
  });
}

/** No form-action: in Chromium it would also stop the redirect that answers the form. */
const headers = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
};

function page(title: string, body: string, status = 200, more: Record<string, string> = {}): Response {
  const head = `<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${html(title)}</title>`;
  const text = `<!doctype html><html lang="en"><head>${head}</head><body>${body}</body></html>\n`;
  return new Response(text, { status, headers: { ...headers, ...more } });
}

function html(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&#34;')
    .replaceAll("'", '&#39;');
}
