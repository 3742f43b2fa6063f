/** Mail that others read, get, or are kept from. Hardening rows 12, 15 and 16. */
import { request } from 'node:http';
import { domainToASCII } from 'node:url';
import { expect, test } from 'vitest';
import { askForAccount, assertAddress } from '../../src/actions/registration.js';
import { readConfig } from '../../src/config.js';
import { isDeliverable } from '../../src/mail/address.js';
import { createMailer } from '../../src/mail/smtp.js';
import { noFile } from '../support/config.js';
import { startIdp, type TestIdp } from '../support/idp.js';
import { startMailServer } from '../support/mail_server.js';
import { linkIn, mailRows, queueNotice } from '../support/mails.js';

/** What a browser is told that takes the server for another host. */
function statusFor(idp: TestIdp, host: string): Promise<number | undefined> {
  const { port } = new URL(idp.issuer);
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path: '/dev/mail', headers: { host } }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    asked.on('error', reject).end();
  });
}

test.each([
  ['evil.example', 404],
  ['127.0.0.1.evil.example', 404],
  ['localhost.evil.example', 404],
  ['localhost', 200],
  ['127.0.0.1:4000', 200],
  ['[::1]:4000', 200],
])(
  'a page whose name is made to lead to this machine (DNS rebinding) does not read its mail: %s',
  async (host, status) => {
    const idp = await startIdp();
    await queueNotice(idp);
    expect(await statusFor(idp, host)).toBe(status);
  },
);

test('nobody is kept from a new password by who asks for accounts with their address', async () => {
  const idp = await startIdp({ settings: { MAILS_PER_ADDRESS: '2', USER_REGISTRATION: 'open' } });
  await idp.addUser();
  const stranger = idp.browser();
  for (let sent = 0; sent < 4; sent += 1)
    await stranger.submit(await stranger.get('/register-account'), { email: 'ada@example.com' });
  const owner = idp.browser();
  await owner.submit(await owner.get('/forgot-password'), { email: 'ada@example.com' });
  const names = (await mailRows(idp)).map(({ name }) => name);
  expect(names.toSorted()).toEqual(['account_exists', 'account_exists', 'password_reset']);
});

test.each([
  ['ada@ｅxample.com', 'ada@example.com'],
  ['ada@EXÄMPLE.com', 'ada@exämple.com'],
  ['ada@example。com', 'ada@example.com'],
  ['Ada@Example.COM', 'Ada@example.com'],
])('mail for %s goes to the domain that was compared with those allowed: %s', async (to, mailbox) => {
  expect(isDeliverable(to)).toBe(true);
  const [, domain = ''] = mailbox.split('@');
  expect(() => assertAddress({ USER_REGISTRATION_DOMAINS: [domainToASCII(domain)] }, to)).not.toThrow();
  const recipients: string[] = [];
  const server = await startMailServer({
    refuse: (step, address) => void (step === 'RCPT' && recipients.push(address)),
  });
  const environment = { SALLYPORT_SMTP_URL: server.url, SALLYPORT_MAIL_FROM: 'id@example.com' };
  const letter = { to, product: 'x', subject: 'x', text: 'x', html: 'x', link: null, secrets: [] };
  await createMailer(readConfig(environment, noFile))?.send(letter, 'id', 0, new AbortController().signal);
  expect(recipients).toEqual([mailbox]);
});

test('a link that a provider’s person got makes no account past the allowed domains, once the provider may not any more', async () => {
  const settings = { USER_REGISTRATION: 'open', USER_REGISTRATION_DOMAINS: 'example.com' };
  const idp = await startIdp({ settings });
  const asked = { visit: { user_agent: '', address: '127.0.0.1' }, language: 'en', more: '' } as const;
  const email = 'eve@evil.example';
  await askForAccount(idp.deps, { ...asked, email, provider_id: 'gone' }, idp.now());
  expect((await idp.browser().get(await linkIn(idp))).status).toBe(404);
});
