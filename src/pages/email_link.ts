/** Where the links in mails about an address lead, GET and POST /email-link: to confirm it, or to take a change back. */
import type { Context, Middleware } from 'koa';
import { readEmailLink, useEmailLink } from '../actions/email_links.js';
import type { Deps } from '../deps.js';
import { seeOther } from '../http/answer.js';
import { parseNetworks } from '../http/client_address.js';
import { assertOwnForm, csrfToken } from '../http/csrf.js';
import { ifGood, secretAddress } from '../http/mail_link.js';
import { readForm, readQuery } from '../http/read.js';
import { render } from '../http/render.js';
import { submit } from '../http/submit.js';
import { visitOf } from '../http/visit.js';
import { maskedAddress } from '../mail/address.js';
import type { UserError } from '../oauth/errors.js';

type LinkDeps = Pick<Deps, 'bell' | 'clock' | 'config' | 'db' | 'keys'>;

export function showEmailLink(deps: LinkDeps): Middleware {
  return async (ctx) => linkForm(deps, ctx, readQuery(ctx).get('token') ?? '', null);
}

export function postEmailLink(deps: LinkDeps): Middleware {
  const trusted = parseNetworks(deps.config.TRUSTED_PROXIES);
  return async (ctx) => {
    const params = await readForm(ctx);
    const token = params.get('token') ?? '';
    const { base } = deps.config;
    await submit(
      ctx,
      async () => {
        await assertOwnForm(deps, ctx, params, null);
        const use = { token, visit: visitOf(ctx, trusted) };
        const { reset_token } = await useEmailLink(deps, use, deps.clock());
        const next = reset_token === null ? '/email-confirmed' : `/reset-password?token=${reset_token}`;
        seeOther(ctx, base + next);
      },
      (error) => linkForm(deps, ctx, token, error),
    );
  };
}

export function emailConfirmed({ config }: Pick<Deps, 'config'>): Middleware {
  return (ctx) => render(ctx, config, { view: 'email_confirmed', title: 'email.done_title', data: {} });
}

const faces = {
  email_change: { title: 'email.confirm_title', about: 'email.confirm_change', button: 'email.confirm' },
  email_verification: {
    title: 'email.confirm_title',
    about: 'email.confirm_verification',
    button: 'email.confirm',
  },
  email_undo: { title: 'email.undo_title', about: 'email.undo_about', button: 'email.undo' },
} as const;

/** The question; where the link is not good any more it says so. */
async function linkForm(deps: LinkDeps, ctx: Context, token: string, error: UserError | null): Promise<void> {
  secretAddress(ctx);
  const link = await ifGood(readEmailLink(deps, token, deps.clock()));
  const { title, about, button } = faces[link?.purpose ?? 'email_change'];
  render(ctx, deps.config, {
    view: 'email_link',
    title,
    status: link === null ? 404 : 200,
    data: {
      csrf: await csrfToken(deps, ctx, null),
      token,
      email: link?.email ?? null,
      // Masked: an address that was mistyped is a stranger's, who gets the link.
      replaced: link?.purpose === 'email_change' ? maskedAddress(link.user.email) : null,
      ...{ about, button, error },
    },
  });
}
