/** How mail leaves, as the settings say it: SMTP_URL, SMTP_TLS, MAIL_FROM. */
import { describe, expect, test } from 'vitest';
import { readConfig } from '../src/config.js';
import { noFile, problemsOf } from './support/config.js';

describe('the settings of mail', () => {
  const set = { SALLYPORT_SMTP_URL: 'smtp://mail.example:25', SALLYPORT_MAIL_FROM: 'id@example.com' };
  const without = { SALLYPORT_SMTP_URL: undefined, SALLYPORT_MAIL_FROM: undefined };
  const mailOf = (env: object) => readConfig({ ...set, ...env }, noFile).smtp;

  test('without a mail server is shown to developers on a loopback issuer, and off on any other', () => {
    expect(readConfig({}, noFile)).toMatchObject({ mail: 'page', smtp: undefined });
    expect(readConfig({ SALLYPORT_ISSUER: 'https://id.example' }, noFile)).toMatchObject({ mail: 'off' });
    expect(readConfig(set, noFile)).toMatchObject({ mail: 'smtp' });
  });

  test.each<[string, object, object]>([
    ['another machine: TLS is required', {}, { host: 'mail.example', port: 25, tls: 'required' }],
    ['unless told otherwise', { SALLYPORT_SMTP_TLS: 'optional' }, { tls: 'optional' }],
    ['this machine', { SALLYPORT_SMTP_URL: 'smtp://localhost' }, { tls: 'optional', port: 587 }],
    [
      'smtps',
      { SALLYPORT_SMTP_URL: 'smtps://[2001:db8::1]' },
      { host: '2001:db8::1', tls: 'implicit', port: 465 },
    ],
    [
      'a password',
      { SALLYPORT_SMTP_URL: 'smtp://me%40x:p%3A%25@h' },
      { auth: { user: 'me@x', pass: 'p:%' } },
    ],
    ['an address alone', {}, { from: { name: '', address: 'id@example.com' } }],
    [
      'an address with a name',
      { SALLYPORT_MAIL_FROM: '"Example, Inc." <id@example.com>' },
      { from: { name: 'Example, Inc.', address: 'id@example.com' } },
    ],
  ])('by a mail server: %s', (_, env, expected) => {
    expect(mailOf(env)).toMatchObject(expected);
  });

  test.each([
    [{ SALLYPORT_SMTP_URL: 'http://mail.example' }, 'SMTP_URL'],
    [{ SALLYPORT_SMTP_URL: 'smtp://mail.example/?x' }, 'SMTP_URL'],
    [{ SALLYPORT_SMTP_URL: 'smtp://a%zz@mail.example' }, 'SMTP_URL'],
    [{ SALLYPORT_SMTP_URL: 'mail.example' }, 'SMTP_URL'],
    [{ SALLYPORT_MAIL_FROM: 'nobody' }, 'MAIL_FROM'],
    [{ SALLYPORT_MAIL_FROM: 'a@b, c@d' }, 'MAIL_FROM'],
    [{ SALLYPORT_MAIL_FROM: 'x\r\nBcc: <a@b>' }, 'MAIL_FROM'],
    [{ SALLYPORT_MAIL_FROM: undefined }, 'MAIL_FROM'],
    [{ SALLYPORT_SMTP_URL: undefined }, 'MAIL_FROM'],
    [{ SALLYPORT_SMTP_URL: 'smtps://h', SALLYPORT_SMTP_TLS: 'required' }, 'SMTP_TLS'],
    [{ ...without, SALLYPORT_ISSUER: 'https://id.example', SALLYPORT_EMAIL_CODE: 'on' }, 'EMAIL_CODE'],
  ])('that is set up wrongly is said at the start: %j', (env, name) => {
    expect(problemsOf({ ...set, ...env })).toEqual([expect.stringMatching(`^SALLYPORT_${name} `)]);
  });
});
