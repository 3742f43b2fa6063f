/**
 * Tells on the terminal what happens while somebody clicks through the demo: one short line for each step, as the server's log
 * and the apps report it. Never a secret, a code or a token: none of them is in what it is given.
 */
import type { Log } from '../deps.js';

export interface Narrator {
  /** Prints a step: who did what. */
  tell(who: string, what: string): void;
  /** Gives an id of the server's log (a client_id, a user_id) a name that people know. */
  introduce(id: string, name: string): void;
  /** What the server gets as its log. */
  readonly log: Log;
}

export interface NarratorOptions {
  readonly print: (line: string) => void;
  readonly colour: boolean;
}

/** The name of the identity server in these lines. */
const server_name = 'Sallyport';

const colours: Readonly<Record<string, number>> = { [server_name]: 36, 'App A': 33, 'App B': 35, API: 32 };

export function createNarrator({ print, colour }: NarratorOptions): Narrator {
  const names = new Map<string, string>();
  const paint = (text: string, code: number | undefined) =>
    colour && code !== undefined ? `\u001b[${code}m${text}\u001b[0m` : text;
  let count = 0;

  function tell(who: string, what: string): void {
    count += 1;
    const number = String(count).padStart(4);
    const time = paint(new Date().toLocaleTimeString('en-GB'), 2);
    const name = paint(who.padEnd(server_name.length), colours[who]);
    print(`${number}  ${time}  ${name}  ${what.replace(/\p{Cc}/gu, ' ')}`); // no control codes for the terminal
  }

  const nameOf = (id: string) => names.get(id) ?? id;
  const hear = (level: Level) => (fields: unknown, message?: unknown) => {
    const said = describe({ level, fields: fieldsOf(fields), message: String(message ?? fields) }, nameOf);
    if (said !== undefined) tell(server_name, said);
  };

  // The server calls its log with (object, message), which is one of the ways that pino's type allows.
  const log = { debug: () => undefined, info: hear('info'), warn: hear('warn'), error: hear('error') } as Log;
  return { tell, log, introduce: (id, name) => void names.set(id, name) };
}

type Level = 'info' | 'warn' | 'error';

interface Line {
  readonly level: Level;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

/** A line of the server's log as a person would say it; undefined where it is no step of the protocol. */
function describe({ level, fields, message }: Line, nameOf: (id: string) => string): string | undefined {
  const client = nameOf(String(fields.client_id));
  const user = nameOf(String(fields.user_id));
  switch (fields.event) {
    case 'signed_in':
      return `${user} signed in with the password`;
    case 'sign_in_failed':
      return 'somebody typed a wrong address or password';
    case 'consent_granted':
      return `${user} agrees to share with ${client}, and is not asked again`;
    case 'consent_denied':
      return `${user} does not want to share with ${client}`;
    case 'code_issued':
      return `gives ${client} a code for ${user}, good once`;
    case 'tokens_issued':
      return `gives ${client} its tokens, grant_type=${String(fields.grant_type)}`;
    case 'signed_out':
      return `${user} is signed out: the session has ended, its access tokens are revoked`;
    case 'logout_told':
      return fields.state === 'answered' ? `has told ${client} that the session ended` : undefined;
  }
  if (typeof fields.error === 'string') return `answers ${String(fields.path)} with ${fields.error}`;
  if (level === 'info') return undefined;
  return fields.err instanceof Error ? `${message}: ${fields.err.message}` : message;
}
