/** The templates of mails, views/mail/*.ejs, compiled once. A file of the same name in the operator's folder (VIEWS_DIR) stands in for ours. */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import ejs from 'ejs';

const ours = fileURLToPath(new URL('../../views/', import.meta.url));

type Template = (data: object) => string;

interface MailTemplates {
  readonly text: Template;
  readonly html: Template;
}

const known = new Map<string, MailTemplates>();

/** `own` is the operator's folder. */
export function mailTemplates(own: string | undefined): MailTemplates {
  const key = own ?? '';
  const templates = known.get(key) ?? {
    text: compile(own, 'mail/message.text.ejs', { escape: String }),
    html: compile(own, 'mail/message.html.ejs', {}),
  };
  known.set(key, templates);
  return templates;
}

function compile(
  own: string | undefined,
  name: string,
  options: { readonly escape?: (text: unknown) => string },
): Template {
  const theirs = own === undefined ? undefined : resolve(own, name);
  const filename = theirs !== undefined && existsSync(theirs) ? theirs : ours + name;
  return ejs.compile(readFileSync(filename, 'utf8'), { ...options, filename, async: false });
}
