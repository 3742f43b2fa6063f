/** What reaches the mail server, byte by byte: no value ends one header and begins another (CWE-93). */
import { describe, expect, test } from 'vitest';
import { readConfig } from '../../src/config.js';
import type { Letter } from '../../src/mail/letter.js';
import { createMailer, MailError } from '../../src/mail/smtp.js';
import { noFile } from '../support/config.js';
import { startMailServer } from '../support/mail_server.js';

const never = new AbortController().signal;
const letter: Letter = {
  to: 'ada@example.com',
  product: 'Example',
  subject: 'Hello',
  text: 'Hello',
  html: '<p>Hello</p>',
  link: null,
  secrets: [],
};

async function send(change: Partial<Letter>, product = 'Example') {
  const server = await startMailServer();
  const settings = { SALLYPORT_SMTP_URL: server.url, SALLYPORT_MAIL_FROM: 'id@example.com' };
  await createMailer(readConfig(settings, noFile))?.send({ ...letter, product, ...change }, 'id', 0, never);
  return server;
}

describe('an attacker who puts line breaks into', () => {
  test.each([
    '\r\nBcc: eve@example.com',
    '\nBcc: eve@example.com',
    '\r\n\r\n<h1>mine</h1>',
    '\u2028Bcc: eve@example.com',
  ])('the subject (%j) adds no header', async (text) => {
    const { taken } = await send({ subject: `Hello${text}` });
    expect(taken).toHaveLength(1);
    expect(taken[0]?.bcc).toBeUndefined();
    expect(taken[0]?.text?.trim()).toBe('Hello');
  });

  test('the name of the server adds no header', async () => {
    const { taken } = await send({}, 'Example\r\nBcc: eve@example.com');
    expect(taken[0]?.bcc).toBeUndefined();
    expect(taken[0]?.from?.value).toMatchObject([{ address: 'id@example.com' }]);
  });
});

test.each([
  'ada@example.com\r\nRCPT TO:<eve@example.com>',
  'ada@example.com>\r\nDATA',
  '<eve@example.com>ada@example.com',
  'ada@example.com, eve@example.com',
  'ada@example.com,eve@example.com',
  '"eve@example.com x"@internal.example',
  'eve@example.com(ada@example.com)',
  'all:eve@example.com;',
  'ada@example.com\u200b',
  `${'a'.repeat(65)}@example.com`,
])('the address %j, of which programs disagree whom it names, reaches nobody', async (to) => {
  let asked = 0;
  const server = await startMailServer({
    onConnect(_, callback) {
      asked += 1;
      callback();
    },
  });
  const settings = { SALLYPORT_SMTP_URL: server.url, SALLYPORT_MAIL_FROM: 'id@example.com' };
  const mailer = createMailer(readConfig(settings, noFile));
  const refused = { permanent: true, name: MailError.name };
  await expect(mailer?.send({ ...letter, to }, 'id', 0, never)).rejects.toMatchObject(refused);
  expect(asked).toBe(0);
});

test('names in other scripts arrive as they were written', async () => {
  const { taken } = await send({ subject: 'Ваш пароль 🔑 パスワード' }, 'مثال');
  expect(taken[0]).toMatchObject({
    subject: 'Ваш пароль 🔑 パスワード',
    from: { value: [{ name: 'مثال' }] },
  });
});
