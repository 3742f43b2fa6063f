/** Somebody signed in to an application whose access token is due, and a token endpoint that answers what a test wants. */
import { type SignInApp, startSignInApp } from './sign_in.js';

/** Access tokens live for 600 seconds, and are replaced in the last 30. */
export const due = 571;

export async function signedIn(options: Parameters<typeof startSignInApp>[0] = {}) {
  const app = await startSignInApp(options);
  const browser = app.visitor();
  await browser.signIn();
  return { ...app, browser, tokens: () => app.traffic.count('/token') };
}

/** Answers the token endpoint in the place of the server. */
export function answerTokens(
  { traffic }: Pick<SignInApp, 'traffic'>,
  reply: () => Response | Promise<Response>,
) {
  traffic.instead = (url) => (url.pathname === '/token' ? reply() : undefined);
}

export const refuse = (error: string, status = 400) => Response.json({ error }, { status });
