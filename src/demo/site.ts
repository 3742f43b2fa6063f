/** What the pages of an app stand on: security headers, views, two style sheets and an icon, and a page for what goes wrong. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type Router from '@koa/router';
import ejs from 'ejs';
import Koa, { type Context } from 'koa';

const views = fileURLToPath(new URL('../../views/demo/', import.meta.url));

export interface SiteOptions {
  readonly name: string;
  readonly url: string;
  /** Which style sheet and icon of views/demo/ it wears. */
  readonly look: 'app_a' | 'app_b';
  /** The identity server: a form may end there, by a redirect. */
  readonly issuer: string;
  readonly report: (step: string) => void;
}

/** The application around a router and what signs people in. Whatever is thrown in there ends in a page, never in a stack trace. */
export function createSite(options: SiteOptions, router: Router, signIn: readonly Koa.Middleware[]): Koa {
  const app = new Koa();
  const file = (name: string, type: string) => {
    const body = readFileSync(views + name);
    return (ctx: Context) => {
      ctx.set('Cache-Control', 'max-age=60');
      ctx.type = type;
      ctx.body = body;
    };
  };
  router.get('/base.css', file('base.css', 'text/css'));
  router.get('/look.css', file(`${options.look}.css`, 'text/css'));
  router.get('/icon.svg', file(`${options.look}.svg`, 'image/svg+xml'));

  app.use(async (ctx, next) => {
    setHeaders(ctx, options);
    try {
      await next();
    } catch (error) {
      options.report(`something went wrong: ${error instanceof Error ? error.message : 'unknown'}`);
      await showMessage(ctx, options, {
        status: 500,
        heading: 'Something went wrong here',
        text: 'Please try again.',
      });
    }
  });
  for (const middleware of signIn) app.use(middleware);
  app.use(router.routes());
  app.use((ctx) =>
    showMessage(ctx, options, {
      status: 404,
      heading: 'There is no such page',
      text: 'The address may be mistyped.',
    }),
  );
  return app;
}

/** No scripts at all, nothing from elsewhere, no frames. */
function setHeaders(ctx: Context, { issuer }: SiteOptions): void {
  ctx.set(
    'Content-Security-Policy',
    `default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self' ${issuer}; frame-ancestors 'none'`,
  );
  ctx.set('Referrer-Policy', 'same-origin');
  ctx.set('X-Content-Type-Options', 'nosniff');
  ctx.set('Cache-Control', 'no-store');
}

/** Answers with a page of views/demo/. */
export async function show(ctx: Context, app: SiteOptions, view: View, data: object): Promise<void> {
  ctx.type = 'text/html; charset=utf-8';
  ctx.body = await render(app, view, data);
}

type View = 'home' | 'message';

function render(app: SiteOptions, view: View, data: object): Promise<string> {
  return ejs.renderFile(`${views}${view}.ejs`, { app, ...data }, { cache: true });
}

export interface Message {
  readonly status: number;
  readonly heading: string;
  readonly text: string;
  /** For developers: the code of the error. */
  readonly detail?: string;
}

/** A page that says one thing, and leads back. */
export async function showMessage(ctx: Context, app: SiteOptions, message: Message): Promise<void> {
  ctx.status = message.status;
  await show(ctx, app, 'message', { message: { detail: null, ...message } });
}

/** The same page, for the sign-in package. */
export async function messageResponse(app: SiteOptions, message: Message): Promise<Response> {
  const html = await render(app, 'message', { message: { detail: null, ...message } });
  return new Response(html, {
    status: message.status,
    headers: { 'content-type': 'text/html; charset=utf-8' },
  });
}

export function seeOther(ctx: Context, url: string): void {
  ctx.status = 303;
  ctx.set('Location', url);
}
