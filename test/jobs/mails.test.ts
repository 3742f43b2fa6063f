/** Mail, from its transaction to a real mail server. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { setPassword } from '../../src/actions/users.js';
import { startSender } from '../../src/jobs/outbox.js';
import * as mails from '../../src/store/mails.js';
import { anotherProcess } from '../support/another_process.js';
import { newAuthority, newCertificate } from '../support/certificates.js';
import { engines } from '../support/database.js';
import { newFolder } from '../support/folder.js';
import { freePort } from '../support/free_port.js';
import { startMailServer } from '../support/mail_server.js';
import { mailRows, queueNotice, startWithMail } from '../support/mails.js';
import { senderOf } from '../support/outbox.js';
import { certificate, private_key } from '../support/tls.js';

describe.each(engines)('mail on %s', (engine) => {
  test('leaves when its transaction is committed, and its body is erased when the mail server took it', async () => {
    const { idp, mail } = await startWithMail({ engine });
    const user = await idp.addUser();
    await setPassword(idp.deps, user.id, 'a new and better password', idp.now());
    const [queued] = await mailRows(idp);
    expect(queued).toMatchObject({ state: 'queued', name: 'password_changed' });
    expect(queued?.body).not.toContain('ada@example.com');
    await senderOf(idp.deps).flush();
    expect(mail.taken).toMatchObject([
      {
        subject: 'Your password was changed',
        from: { value: [{ name: 'Example', address: 'id@example.com' }] },
        to: { value: [{ address: 'ada@example.com' }] },
        text: expect.stringContaining('Sallyport'),
        html: expect.stringContaining('Your password was changed'),
        messageId: `<${queued?.id}@example.com>`,
      },
    ]);
    expect(mail.taken[0]?.headers.get('auto-submitted')).toBe('auto-generated');
    expect(await mailRows(idp)).toMatchObject([
      { state: 'delivered', body: null, attempts: 1, next_attempt_at: null },
    ]);
  });

  test('of a transaction that is undone is never sent', async () => {
    const { idp, mail } = await startWithMail({ engine });
    const undone = idp.db.transaction(async (trx) => {
      await mails.insert(trx, {
        ...{ id: 'm', name: 'x', body: 'x', created_at: 0, useless_at: 1, expires_at: 1 },
      });
      throw new Error('undone');
    });
    await expect(undone).rejects.toThrow('undone');
    await senderOf(idp.deps).flush();
    expect([mail.taken, await mailRows(idp)]).toEqual([[], []]);
  });

  test('whose template fails is tried again later, like one that the mail server does not take', async () => {
    const VIEWS_DIR = await newFolder();
    await mkdir(join(VIEWS_DIR, 'mail'));
    const template =
      "<% if (subject.includes('changed')) throw new Error('no') %><%= lines[0] %> <%= button?.link %>";
    await writeFile(join(VIEWS_DIR, 'mail/message.text.ejs'), template);
    const { idp, mail } = await startWithMail({ engine, settings: { VIEWS_DIR } });
    await queueNotice(idp);
    await senderOf(idp.deps).flush();
    expect(mail.taken).toEqual([]);
    expect(await mailRows(idp)).toMatchObject([
      { state: 'tried', attempts: 1, answer: 'its template failed', next_attempt_at: idp.now() + 10 },
    ]);
    expect(idp.logged).toContainEqual(
      expect.objectContaining({ level: 'error', message: 'a template failed' }),
    );
  });

  test('is sent once by two processes at the same time', async () => {
    const { idp, mail } = await startWithMail({ engine });
    for (let i = 0; i < 12; i += 1) await queueNotice(idp, `p${i}@example.com`);
    const senders = [senderOf(idp.deps), senderOf(await anotherProcess(idp))];
    await Promise.all(senders.map((sender) => sender.flush()));
    await senders[0]?.flush();
    const told = mail.taken.map(({ to }) => (Array.isArray(to) ? '' : to?.text)).sort();
    expect(told).toEqual(Array.from({ length: 12 }, (_, i) => `p${i}@example.com`).sort());
  });

  test('is sent by another process when the one that took it dies, after a minute', async () => {
    const { idp, mail } = await startWithMail({ engine });
    await queueNotice(idp);
    await mails.claim(idp.db, { now: idp.now(), next_attempt_at: idp.now() + 60 }); // and dies
    const sender = senderOf(await anotherProcess(idp));
    idp.advance(59);
    await sender.flush();
    expect(mail.taken).toHaveLength(0);
    idp.advance(1);
    await sender.flush();
    expect(mail.taken).toHaveLength(1);
    expect(await mailRows(idp)).toMatchObject([{ state: 'delivered', attempts: 2, body: null }]);
  });
});

describe('a mail server that', () => {
  test.each<[string, (step: 'RCPT' | 'DATA') => number | undefined]>([
    ['refuses the recipient for good', (step) => (step === 'RCPT' ? 550 : undefined)],
    ['refuses the message for good', (step) => (step === 'DATA' ? 554 : undefined)],
  ])('%s is not asked again, and the body is erased', async (_, refuse) => {
    const { idp } = await startWithMail({ server: { refuse } });
    await queueNotice(idp);
    const sender = senderOf(idp.deps);
    await sender.flush();
    expect(await mailRows(idp)).toMatchObject([
      {
        state: 'failed',
        body: null,
        next_attempt_at: null,
        answer: expect.stringMatching(/answered 55[04]/),
      },
    ]);
    expect(idp.logged.filter(({ level }) => level === 'warn')).toMatchObject([
      { fields: { event: 'mail', name: 'password_changed', state: 'failed' } },
    ]);
  });

  test('refuses for now is asked again, later and later, for a day', async () => {
    const { idp } = await startWithMail({
      server: { refuse: (step) => (step === 'RCPT' ? 451 : undefined) },
    });
    await queueNotice(idp);
    const began = idp.now();
    const sender = senderOf(idp.deps);
    const pauses: number[] = [];
    for (;;) {
      await sender.flush();
      const [row] = await mailRows(idp);
      if (row?.state !== 'tried') break;
      expect(row.body).not.toBeNull();
      const pause = (row.next_attempt_at ?? 0) - idp.now();
      pauses.push(pause);
      idp.advance(pause);
    }
    expect(pauses.slice(0, 7)).toEqual([10, 30, 60, 300, 900, 1800, 1800]);
    expect(idp.now() - began).toBeLessThanOrEqual(86_400);
    expect(await mailRows(idp)).toMatchObject([{ state: 'failed', body: null, next_attempt_at: null }]);
  });

  test('takes it the second time has it once', async () => {
    let answers: (number | undefined)[] = [451];
    const { idp, mail } = await startWithMail({
      server: { refuse: (step) => (step === 'RCPT' ? answers.shift() : undefined) },
    });
    await queueNotice(idp);
    const sender = senderOf(idp.deps);
    await sender.flush();
    idp.advance(10);
    await sender.flush();
    answers = [];
    expect(mail.taken).toHaveLength(1);
  });

  test('is down is asked again when it is up', async () => {
    const port = await freePort();
    const { idp } = await startWithMail({ settings: { SMTP_URL: `smtp://127.0.0.1:${port}` } });
    await queueNotice(idp);
    const sender = senderOf(idp.deps);
    await sender.flush();
    expect(await mailRows(idp)).toMatchObject([
      { state: 'tried', answer: expect.stringContaining('ECONNREFUSED') },
    ]);
    const up = await startMailServer({ port });
    idp.advance(10);
    await sender.flush();
    expect(up.taken).toHaveLength(1);
  });

  test('wants another password is the operator’s to set right: the mail waits, and the password is in no log', async () => {
    const { idp } = await startWithMail({ settings: { SMTP_URL: 'smtp://127.0.0.1:1' } });
    const wants = await startMailServer({
      ...{ authOptional: false, allowInsecureAuth: true },
      onAuth: (_auth, _session, callback) => callback(new Error('no such user')),
    });
    const other = await startWithMail({
      settings: { SMTP_URL: `smtp://operator:hidden%2Dword@127.0.0.1:${wants.port}` },
    });
    await queueNotice(other.idp);
    await senderOf(other.idp.deps).flush();
    expect(await mailRows(other.idp)).toMatchObject([
      { state: 'tried', answer: expect.stringContaining('535') },
    ]);
    expect(JSON.stringify(other.idp.logged)).not.toMatch(/hidden|ada@example/);
    expect(idp.logged).toEqual([]);
  });

  test('is slow holds up no logout token: each kind has a queue of its own', async () => {
    let go = () => {};
    const waiting = new Promise<void>((resolve) => {
      go = resolve;
    });
    const { idp, mail } = await startWithMail({ server: { wait: () => waiting } });
    for (let i = 0; i < 6; i += 1) await queueNotice(idp, `p${i}@example.com`);
    const sender = startSender(idp.deps);
    const flushed = sender.flush();
    await vi.waitFor(async () =>
      expect((await mailRows(idp)).filter(({ state }) => state === 'tried')).toHaveLength(4),
    );
    go();
    await flushed;
    expect(mail.taken).toHaveLength(6);
    await sender.stop();
  });
});

describe('a message', () => {
  test('whose link has expired is not sent any more', async () => {
    const { idp, mail } = await startWithMail();
    await queueNotice(idp, 'ada@example.com', idp.now() + 1800);
    idp.advance(1800);
    await senderOf(idp.deps).flush();
    expect(mail.taken).toEqual([]);
    expect(await mailRows(idp)).toMatchObject([{ state: 'failed', body: null, answer: 'its time was over' }]);
  });

  test('says nothing of itself in the log: neither address nor text', async () => {
    const { idp } = await startWithMail();
    await queueNotice(idp);
    await senderOf(idp.deps).flush();
    expect(idp.logged.map(({ message }) => message)).toEqual(['a mail was sent']);
    expect(JSON.stringify(idp.logged)).not.toMatch(/ada@example|was changed/);
  });

  test('is not made where the server sends no mail', async () => {
    const { idp } = await startWithMail({
      settings: { ISSUER: 'https://id.example', SMTP_URL: undefined, MAIL_FROM: undefined },
    });
    await queueNotice(idp);
    expect(await mailRows(idp)).toEqual([]);
  });
});

describe('TLS', () => {
  const tls = { key: private_key, cert: certificate };

  test('is asked for by STARTTLS, and a certificate of nobody known is not believed', async () => {
    const { idp, mail } = await startWithMail({ server: tls });
    await queueNotice(idp);
    await senderOf(idp.deps).flush();
    expect(mail.taken).toEqual([]);
    expect(await mailRows(idp)).toMatchObject([
      { state: 'tried', answer: expect.stringContaining('reached') },
    ]);
  });

  test('is required of other machines: a server that hides STARTTLS gets neither password nor mail', async () => {
    const { idp, mail } = await startWithMail({ settings: { SMTP_TLS: 'required' } });
    await queueNotice(idp);
    await senderOf(idp.deps).flush();
    expect(mail.taken).toEqual([]);
    expect(await mailRows(idp)).toMatchObject([{ state: 'tried' }]);
  });

  test.each([
    ['smtp', {}],
    ['smtps', { secure: true }],
  ])('by %s: with an authority of OUTBOUND_CA the mail is sent, encrypted', async (scheme, more) => {
    const authority = newAuthority();
    const host = newCertificate({ issuer: authority, subject: [{ CN: 'mail' }], san: [['ip', '127.0.0.1']] });
    const server = await startMailServer({
      ...{ key: host.key_pem, cert: host.pem, ...more, authOptional: false },
      onAuth: ({ username }, _, callback) => callback(null, { user: username ?? '' }),
    });
    const { idp } = await startWithMail({
      settings: { SMTP_URL: `${scheme}://me:secret@127.0.0.1:${server.port}`, OUTBOUND_CA: 'ca.pem' },
      files: { 'ca.pem': authority.pem },
    });
    await queueNotice(idp);
    await senderOf(idp.deps).flush();
    expect(server.sessions).toEqual([{ secure: true, user: 'me' }]);
  });
});
