/**
 * Mail for developers, GET /dev/mail and /dev/mail/:id: where a loopback issuer has no mail server, what it would send is read here, for a
 * day (decisions 15).
 */
import type { RouterContext } from '@koa/router';
import type { Middleware } from 'koa';
import { nameOf } from '../actions/branding.js';
import type { Deps } from '../deps.js';
import { notFound } from '../http/no_route.js';
import { render } from '../http/render.js';
import { type Letter, letterOf, placeOf } from '../mail/letter.js';
import { openMail } from '../mail/queue.js';
import * as mails from '../store/mails.js';

const shown_seconds = 86_400;

type MailDeps = Pick<Deps, 'caches' | 'clock' | 'config' | 'db' | 'keys' | 'log' | 'places'>;

/** The newest hundred messages, each with a link to it. */
export function devMail(deps: MailDeps): Middleware {
  return async (ctx) => {
    const rows = await mails.listReadable(deps.db, deps.clock() - shown_seconds);
    const letters = await Promise.all(rows.map((row) => read(deps, row)));
    const entries = rows.flatMap(({ id }, index) => {
      const letter = letters[index];
      return letter === undefined ? [] : [{ id, to: letter.to, subject: letter.subject }];
    });
    render(ctx, deps.config, { view: 'dev_mail', title: 'mail.dev_title', data: { entries } });
  };
}

/** One message, as text, and what its button leads to. */
export function devMessage(deps: MailDeps): (ctx: RouterContext) => Promise<unknown> {
  const absent = notFound(deps);
  return async (ctx) => {
    const row = await mails.find(deps.db, ctx.params.id ?? '');
    const letter = row && (await read(deps, row));
    if (letter === undefined) return absent(ctx, async () => undefined);
    const { to, subject, text, link } = letter;
    render(ctx, deps.config, {
      view: 'dev_message',
      title: 'mail.dev_title',
      data: { to, subject, text, link },
    });
    return undefined;
  };
}

/** Undefined where its day is over. */
async function read(deps: MailDeps, row: mails.MailRow): Promise<Letter | undefined> {
  if (row.created_at <= deps.clock() - shown_seconds) return undefined;
  const mail = openMail(await deps.keys.get(), row);
  return mail && letterOf(await nameOf(deps), mail, row.created_at, await placeOf(deps.places, mail));
}
