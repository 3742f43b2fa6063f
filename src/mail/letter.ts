/** A message as it is sent: subject, text and HTML, made of the same words. Views mail/message.text.ejs and mail/message.html.ejs. */
import ipaddr from 'ipaddr.js';
import type { Config } from '../config.js';
import type { Places } from '../devices/places.js';
import { deviceNames } from '../devices/user_agent.js';
import type { Language } from '../languages/catalogues.js';
import { type Translator, translatorOf } from '../languages/translate.js';
import type { Visit } from '../store/events.js';
import { type Message, texts } from './messages.js';
import { mailTemplates } from './templates.js';

/** What is sealed in a row of the table mails. */
export interface Mail {
  readonly to: string;
  readonly language: Language;
  /** The time zone in which times are told; null for UTC. */
  readonly zone: string | null;
  readonly message: Message;
}

export interface Letter {
  readonly to: string;
  /** Who writes it: the product's name. */
  readonly product: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** The address that its button leads to. */
  readonly link: string | null;
  /** Words in it that are good for something, once: a link, a code. Never for a log. */
  readonly secrets: readonly string[];
}

/** Roughly where something was done that a message tells of; null where that is not known. */
export async function placeOf(places: Places, { message, language }: Mail): Promise<string | null> {
  const from = 'from' in message ? message.from : null;
  return from === null ? null : places.find(from.address, language);
}

/** Writes a message that tells of what was done at `at`, and at which place, if that is known. */
export function letterOf(
  config: Pick<Config, 'ISSUER' | 'PRODUCT_NAME' | 'VIEWS_DIR'>,
  { to, language, zone, message }: Mail,
  at: number,
  place: string | null = null,
): Letter {
  const t = translatorOf(language);
  const values = { product: config.PRODUCT_NAME, ...valuesOf(message, t, zone) };
  const { subject, text, button, otherwise } = texts[message.name];
  const link = 'link' in message ? message.link : null;
  const told = 'from' in message;
  const data = {
    ...{ language, dir: t.dir, product: config.PRODUCT_NAME, issuer: config.ISSUER },
    subject: t(subject, values),
    lines: [t(text, values)],
    button: link === null || button === undefined ? null : { text: t(button), link },
    closing: told ? t(otherwise ?? 'mail.not_you', values) : null,
    facts: told
      ? [{ label: t('mail.when'), value: t.moment(at, zone ?? 'UTC') }, ...origin(message.from, t, place)]
      : [],
    footer: t('mail.footer', { ...values, address: to }),
  };
  const secrets = [...(link === null ? [] : [link]), ...('code' in message ? [message.code] : [])];
  const write = mailTemplates(config.VIEWS_DIR);
  const { subject: line, product } = data;
  return { to, product, subject: line, text: write.text(data), html: write.html(data), link, secrets };
}

function valuesOf(message: Message, t: Translator, zone: string | null): Readonly<Record<string, string>> {
  return {
    ...('provider' in message && { provider: message.provider }),
    ...('client' in message && { client: message.client }),
    ...('email' in message && { email: message.email }),
    ...('code' in message && { code: message.code }),
    ...('deletes_at' in message && { date: t.date(message.deletes_at, zone ?? 'UTC') }),
  };
}

/** With what and from where, as far as it is known. */
function origin(
  from: Visit | null,
  t: Translator,
  place: string | null,
): readonly { readonly label: string; readonly value: string }[] {
  if (from === null) return [{ label: t('mail.by'), value: t('mail.operator') }];
  const { browser, system } = deviceNames(from.user_agent);
  const device =
    browser !== null && system !== null ? t('mail.device_names', { browser, system }) : (browser ?? system);
  const network = [place, networkOf(from.address)].filter((part) => part !== null).join(', ');
  return [
    ...(device === null ? [] : [{ label: t('mail.device'), value: device }]),
    ...(network === '' ? [] : [{ label: t('mail.network'), value: network }]),
  ];
}

/** The network of an address, as a person can tell it for theirs: mail is read by many on its way, and none needs more. */
function networkOf(address: string): string | null {
  if (!ipaddr.isValid(address)) return null;
  const parsed = ipaddr.process(address);
  return parsed instanceof ipaddr.IPv4
    ? `${parsed.octets.slice(0, 3).join('.')}.…`
    : `${parsed.parts
        .slice(0, 4)
        .map((part) => part.toString(16))
        .join(':')}:…`;
}
