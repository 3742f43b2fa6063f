/** The operator's templates of mails, tried at start: a letter that cannot be written, or lacks its link, would be found by its reader alone. */
import { type Letter, letterOf } from './letter.js';
import type { Message } from './messages.js';

const link = 'https://id.example/link?token=trial';
const code = '12345678';

/** With all that a message may have, with a code, and with nothing. */
const trials: readonly Message[] = [
  { name: 'password_reset', link, from: { user_agent: '', address: '203.0.113.1' } },
  { name: 'sign_in_code', code },
  { name: 'deleted' },
];

/** What is wrong with the templates in this folder, one sentence each. Their syntax was checked before. */
export function mailProblems(own: string): readonly string[] {
  const found = trials.flatMap((message) => {
    try {
      return missingIn(write(own, message), message);
    } catch (error) {
      return [`mail: ${error instanceof Error ? lastLine(error.message) : 'unknown'}`];
    }
  });
  return [...new Set(found)];
}

function write(own: string, message: Message): Letter {
  const config = { ISSUER: 'https://id.example', PRODUCT_NAME: 'Sallyport', VIEWS_DIR: own };
  return letterOf(config, { to: 'ada@example.com', language: 'en', zone: null, message }, 0);
}

function missingIn({ text, html, secrets }: Letter, { name }: Message): readonly string[] {
  const parts = { 'mail/message.text.ejs': text, 'mail/message.html.ejs': html };
  return Object.entries(parts)
    .filter(([, part]) => !secrets.every((secret) => part.includes(secret)))
    .map(([view]) => `${view} leaves out the ${name === 'sign_in_code' ? 'code' : 'link'} of a message`);
}

/** What ejs says after an excerpt. */
function lastLine(message: string): string {
  return message.trimEnd().split('\n').at(-1) ?? message;
}
