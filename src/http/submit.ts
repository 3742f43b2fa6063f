/** A form's way: the action runs, or the form is shown again with what was wrong. The only `try` of pages. */
import type { Context } from 'koa';
import { UserError } from '../oauth/errors.js';

/** Shows the form again on a UserError, with its status; anything else goes on to pageErrors. */
export async function submit(
  ctx: Context,
  action: () => Promise<void>,
  showAgain: (error: UserError) => Promise<void> | void,
): Promise<void> {
  try {
    await action();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    await showAgain(error);
    ctx.status = error.status;
    if (error.retry_after !== undefined) ctx.set('Retry-After', String(error.retry_after));
  }
}
