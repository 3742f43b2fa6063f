/** What follows when a link was asked for, GET /check-mail: the same for everybody. */
import type { Middleware } from 'koa';
import type { Deps } from '../deps.js';
import { isLocalPeer } from '../http/client_address.js';
import { readQuery } from '../http/read.js';
import { render } from '../http/render.js';

export function checkMail({ config }: Pick<Deps, 'config'>): Middleware {
  return (ctx) => {
    const dev_mail = config.mail === 'page' && isLocalPeer(ctx);
    render(ctx, config, {
      view: 'check_mail',
      title: 'reset.check_title',
      data: {
        dev_mail,
        sent: readQuery(ctx).get('for') === 'account' ? 'register.check' : 'reset.check_reset',
      },
    });
  };
}
