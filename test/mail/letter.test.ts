/** What messages say: all of them, in every language, in text and HTML alike. */
import { describe, expect, test } from 'vitest';
import { languages } from '../../src/languages/catalogues.js';
import { letterOf, type Mail } from '../../src/mail/letter.js';
import { type Message, type MessageName, texts } from '../../src/mail/messages.js';

const config = { ISSUER: 'https://id.example', PRODUCT_NAME: 'Example', VIEWS_DIR: undefined };
const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
const from = { user_agent: firefox, address: '203.0.113.77' };
const link = 'https://id.example/x?token=abc&request=d';
const at = 1_800_000_000;

/** A message with every value that any of them has. */
const full = (name: string) =>
  ({
    name,
    from,
    link,
    provider: 'Bank',
    client: 'Shop',
    email: 'new@example.com',
    code: '123456',
    deletes_at: at,
  }) as unknown as Message;

const mail = (message: Message, language: Mail['language'] = 'en', zone: string | null = null): Mail => ({
  ...{ to: 'ada@example.com', language, zone, message },
});

describe.each(languages)('in %s', (language) => {
  test.each(Object.keys(texts) as MessageName[])(
    '%s says everything in both parts, and loads nothing',
    (name) => {
      const { subject, text, html } = letterOf(config, mail(full(name), language), at);
      expect([subject, text, html].join('\n')).not.toMatch(/\{\{|undefined|mail\./);
      expect(subject.length).toBeGreaterThan(3);
      expect(subject).not.toMatch(/[\r\n]/);
      expect(html).toContain(`<html lang="${language}" dir="${language === 'ar' ? 'rtl' : 'ltr'}">`);
      expect(html).not.toMatch(/<(img|script|link|iframe)|url\(/);
      for (const part of [text, html]) expect(part).toContain('ada@example.com');
      if (texts[name].button !== undefined) {
        expect(text).toContain(`\n${link}\n`);
        expect(html).toContain('href="https://id.example/x?token=abc&amp;request=d"');
      }
    },
  );
});

describe('where and when something was done', () => {
  const told = (message: Message, zone: string | null = null) =>
    letterOf(config, mail(message, 'en', zone), at).text;

  test('is told by known names, the network and the zone of the reader', () => {
    const text = told({ name: 'password_changed', from }, 'Asia/Tokyo');
    expect(text).toContain('With: Firefox on Linux');
    expect(text).toContain('From: 203.0.113.…');
    expect(text).toMatch(/When: .*GMT\+9/);
  });

  test.each([
    ['2001:db8:1:2:3:4:5:6', 'From: 2001:db8:1:2:…'],
    ['::ffff:203.0.113.77', 'From: 203.0.113.…'],
  ])('names of %s the network alone', (address, line) => {
    expect(told({ name: 'password_changed', from: { user_agent: '', address } })).toContain(line);
  });

  test('leaves out what is not known, and takes a zone that nobody knows for UTC', () => {
    const text = told({ name: 'password_changed', from: { user_agent: 'x', address: '' } }, 'Moon/Crater');
    expect(text).not.toMatch(/^(With|From):/m);
    expect(text).toMatch(/When: .*UTC/);
  });

  test('is by whoever runs the server where the operator did it', () => {
    expect(told({ name: 'password_changed', from: null })).toContain('By: whoever runs this server');
  });
});

test.each(['<script>alert(1)</script>', '"><img src=x onerror=alert(1)>', '</title><h1>x'])(
  'a value %s is text in HTML (hardening 17)',
  (text) => {
    const { html } = letterOf(
      { ...config, PRODUCT_NAME: text },
      mail({ ...full('provider_linked'), provider: text } as Message),
      at,
    );
    expect(html).not.toContain(text);
    expect(html).not.toMatch(/<(img|script)/);
  },
);
