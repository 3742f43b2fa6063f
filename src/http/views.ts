/**
 * The templates of pages, views/*.ejs, compiled once. A file of the same name in the operator's folder (VIEWS_DIR) stands in for ours,
 * whole pages and their parts alike. Those of mails are mail/templates.ts's.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import ejs from 'ejs';
import { ConfigError } from '../config.js';
import { mailProblems } from '../mail/own_templates.js';

export const views = fileURLToPath(new URL('../../views/', import.meta.url));

export type ViewName =
  | 'login'
  | 'confirm'
  | 'factor'
  | 'enrol'
  | 'account/security'
  | 'account/authenticator'
  | 'account/remove_factor'
  | 'account/new_codes'
  | 'consent'
  | 'choose_account'
  | 'logout'
  | 'signed_out'
  | 'error'
  | 'errors'
  | 'home'
  | 'account/overview'
  | 'account/profile'
  | 'account/providers'
  | 'account/password'
  | 'account/passkeys'
  | 'account/passkey'
  | 'account/new_passkey'
  | 'account/sessions'
  | 'account/applications'
  | 'account/events'
  | 'account/data'
  | 'account/delete'
  | 'account/keep'
  | 'account/goodbye'
  | 'claim'
  | 'upstream_problem'
  | 'upstream_connect'
  | 'check_mail'
  | 'account/email'
  | 'email_link'
  | 'email_confirmed'
  | 'account_created'
  | 'create_account'
  | 'register_account'
  | 'forgot_password'
  | 'reset_password'
  | 'dev_mail'
  | 'dev_message'
  | 'form_post'
  | 'form_post_asked'
  | 'branding_preview'
  | 'check_session';

type Template = (data: object) => string;

const templates = new Map<string, Template>();

/** The template of a page, from the operator's folder if it has one of that name. */
export function template(view: ViewName, own: string | undefined): Template {
  const key = `${own ?? ''}\n${view}`;
  const known = templates.get(key);
  if (known !== undefined) return known;
  const compiled = own === undefined ? compile(`${views}${view}.ejs`, {}) : compileOwn(view, resolve(own));
  templates.set(key, compiled);
  return compiled;
}

function compile(filename: string, options: { readonly views?: string[] }): Template {
  const usual = { filename, root: views, views: [views], cache: true };
  return ejs.compile(readFileSync(filename, 'utf8'), { ...usual, ...options, async: false });
}

/** As above, where each include may be one of the operator's. */
function compileOwn(view: ViewName, own: string): Template {
  const theirs = new Set(ejsFiles(own));
  // Under a name of its own, so that it is not taken for a part that was compiled without the operator's folder.
  const find = (name: string) => (theirs.has(name) ? `${own}${sep}${name}` : `${views}.${sep}${name}`);
  const includer = (_: string, path: string) => {
    const [there] = [own, views]
      .map((folder) => relative(folder, path))
      .filter((name) => !name.startsWith('..'));
    return there === undefined ? {} : { filename: find(there) };
  };
  return compile(find(`${view}.ejs`), { ...{ includer }, views: [own, views, `${views}_parts`] });
}

/**
 * Looks at the operator's folder at start. Throws ConfigError naming each file that stands in for none of ours, each that does not
 * compile, and what is wrong with mails.
 */
export function assertViews(own: string | undefined): void {
  if (own === undefined) return;
  const problems = viewProblems(resolve(own));
  if (problems.length === 0) problems.push(...mailProblems(own).map((one) => `SALLYPORT_VIEWS_DIR: ${one}`));
  if (problems.length > 0) throw new ConfigError(problems);
}

function viewProblems(own: string): string[] {
  const ours = new Set(ejsFiles(views).filter((name) => !/^demo[/\\]/.test(name)));
  try {
    return readdirSync(own, { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .flatMap((entry) => problemsOf(own, relative(own, `${entry.parentPath}${sep}${entry.name}`), ours));
  } catch (error) {
    return [`SALLYPORT_VIEWS_DIR: ${own} cannot be read (${reason(error)})`];
  }
}

function problemsOf(own: string, name: string, ours: ReadonlySet<string>): readonly string[] {
  if (!ours.has(name)) return [`SALLYPORT_VIEWS_DIR: ${name} is not the name of a view`];
  try {
    ejs.compile(readFileSync(`${own}${sep}${name}`, 'utf8'), { filename: name });
    return [];
  } catch (error) {
    return [`SALLYPORT_VIEWS_DIR: ${name} does not compile: ${reason(error)}`];
  }
}

function ejsFiles(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ejs'));
}

/** The first line that says something: ejs writes a whole excerpt. */
function reason(error: unknown): string {
  const lines = error instanceof Error ? error.message.split('\n') : [];
  return lines.find((line) => line.trim() !== '') ?? 'unknown';
}
