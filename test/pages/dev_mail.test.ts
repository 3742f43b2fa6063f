/** Mail of a loopback issuer without a mail server is read on a page: by this machine alone (decisions 15). */
import { describe, expect, test } from 'vitest';
import { startSender } from '../../src/jobs/outbox.js';
import type { Message } from '../../src/mail/messages.js';
import { startIdp, type TestIdp } from '../support/idp.js';
import { mailRows, queueMessage, queueNotice } from '../support/mails.js';

async function start(): Promise<{ idp: TestIdp; path: string }> {
  const idp = await startIdp();
  await queueNotice(idp);
  const [row] = await mailRows(idp);
  return { idp, path: `/dev/mail/${row?.id}` };
}

describe('the page of developers', () => {
  test('lists what would have been sent, and shows it', async () => {
    const { idp, path } = await start();
    expect(await (await idp.fetch('/dev/mail')).text()).toContain(
      `href="${path}"><bdi>Your password was changed`,
    );
    const text = await (await idp.fetch(path)).text();
    expect(text).toContain('ada@example.com');
    expect(text).toContain('The password of your account at Sallyport was changed');
    await startSender(idp.deps).flush();
    expect((await idp.fetch(path)).status).toBe(200); // it stays, although nothing waits any more
    expect(await mailRows(idp)).toMatchObject([{ state: 'shown', next_attempt_at: null }]);
    expect(idp.logged.map(({ message }) => message)).toContain('a mail');
  });

  test.each<[string, Message, string]>([
    ['a link', { name: 'registration', link: 'http://127.0.0.1/x?token=hush', from: null }, 'hush'],
    ['a code', { name: 'sign_in_code', code: '918273' }, '918273'],
  ])('alone shows %s: it is not in the log', async (_, message, secret) => {
    const idp = await startIdp();
    await queueMessage(idp, message);
    const [row] = await mailRows(idp);
    expect(await (await idp.fetch(`/dev/mail/${row?.id}`)).text()).toContain(secret);
    await startSender(idp.deps).flush();
    const logged = JSON.stringify(idp.logged);
    expect([logged.includes('mail_shown'), logged.includes(secret)]).toEqual([true, false]);
  });

  test.each(['x-forwarded-for', 'forwarded', 'via', 'x-real-ip', 'x-forwarded-host'])(
    'is not there for who comes through a proxy: %s',
    async (header) => {
      const { idp, path } = await start();
      for (const address of ['/dev/mail', path])
        expect((await idp.fetch(address, { headers: { [header]: '127.0.0.1' } })).status).toBe(404);
    },
  );

  test('shows a message for a day', async () => {
    const { idp, path } = await start();
    idp.advance(86_400);
    expect((await idp.fetch(path)).status).toBe(404);
    expect(await (await idp.fetch('/dev/mail')).text()).not.toContain(path);
  });

  test.each<[string, object]>([
    ['where there is a mail server', { SMTP_URL: 'smtp://127.0.0.1:1', MAIL_FROM: 'id@example.com' }],
    ['on an https issuer', { ISSUER: 'https://id.example' }],
  ])('is not there %s', async (_, settings) => {
    const idp = await startIdp({ settings: { ...settings } });
    expect((await idp.fetch('/dev/mail')).status).toBe(404);
  });

  test('answers 404 to a name that is none', async () => {
    const { idp } = await start();
    for (const name of ['x', '..%2f', '%00', 'a'.repeat(5000)])
      expect((await idp.fetch(`/dev/mail/${name}`)).status).toBe(404);
  });
});
