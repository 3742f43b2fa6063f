/** Every message that this server sends to people, by name, with what it has to be told, and its texts (views/languages/LANGUAGE/mail.json). */
import type { Key } from '../languages/keys.js';
import type { Visit } from '../store/events.js';

/** Tells of something that was done to an account. */
interface Notice {
  /** From where; null where the operator did it. */
  readonly from: Visit | null;
}

/** Holds a link that is good for something, once. */
interface Linked {
  readonly link: string;
}

/** What each message has to be told. Numbers that end in `_at` are whole seconds since 1970, and are written as a day. */
interface Messages {
  readonly password_reset: Linked & Notice;
  readonly registration: Linked & Notice;
  readonly account_exists: Linked & Notice;
  readonly invitation: Linked & Notice;
  readonly email_change: Linked & Notice;
  readonly email_verification: Linked & Notice;
  readonly email_change_asked: Notice & { readonly email: string };
  readonly email_changed: Linked & Notice & { readonly email: string };
  readonly password_changed: Notice;
  readonly new_device: Notice;
  readonly passkey_added: Notice;
  readonly passkey_removed: Notice;
  readonly totp_added: Notice;
  readonly totp_removed: Notice;
  readonly recovery_codes_made: Notice;
  readonly recovery_code_used: Notice;
  readonly provider_linked: Notice & { readonly provider: string };
  readonly provider_unlinked: Notice & { readonly provider: string };
  readonly token_reused: { readonly client: string };
  readonly deletion_asked: Notice & { readonly deletes_at: number };
  readonly deletion_cancelled: Notice;
  readonly deleted: Record<never, never>;
  readonly sign_in_code: { readonly code: string };
}

export type MessageName = keyof Messages;
export type Message = {
  readonly [Name in MessageName]: { readonly name: Name } & Messages[Name];
}[MessageName];

interface Texts {
  readonly subject: Key;
  readonly text: Key;
  /** What is on the button of one with a link. */
  readonly button?: Key;
  /** What to do if it was not oneself. */
  readonly otherwise?: Key;
}

export const texts: Readonly<Record<MessageName, Texts>> = {
  password_reset: {
    subject: 'mail.password_reset_subject',
    text: 'mail.password_reset_text',
    button: 'mail.password_reset_button',
    otherwise: 'mail.not_asked',
  },
  registration: {
    subject: 'mail.registration_subject',
    text: 'mail.registration_text',
    button: 'mail.registration_button',
    otherwise: 'mail.ignore',
  },
  account_exists: {
    subject: 'mail.account_exists_subject',
    text: 'mail.account_exists_text',
    button: 'mail.account_exists_button',
    otherwise: 'mail.ignore',
  },
  invitation: {
    subject: 'mail.invitation_subject',
    text: 'mail.invitation_text',
    button: 'mail.registration_button',
    otherwise: 'mail.ignore',
  },
  email_change: {
    subject: 'mail.email_change_subject',
    text: 'mail.email_change_text',
    button: 'mail.confirm_address_button',
    otherwise: 'mail.ignore',
  },
  email_verification: {
    subject: 'mail.email_verification_subject',
    text: 'mail.email_verification_text',
    button: 'mail.confirm_address_button',
    otherwise: 'mail.ignore',
  },
  email_change_asked: { subject: 'mail.email_change_asked_subject', text: 'mail.email_change_asked_text' },
  email_changed: {
    subject: 'mail.email_changed_subject',
    text: 'mail.email_changed_text',
    button: 'mail.email_changed_button',
    otherwise: 'mail.take_back',
  },
  password_changed: { subject: 'mail.password_changed_subject', text: 'mail.password_changed_text' },
  new_device: { subject: 'mail.new_device_subject', text: 'mail.new_device_text' },
  passkey_added: { subject: 'mail.passkey_added_subject', text: 'mail.passkey_added_text' },
  passkey_removed: { subject: 'mail.passkey_removed_subject', text: 'mail.passkey_removed_text' },
  totp_added: { subject: 'mail.totp_added_subject', text: 'mail.totp_added_text' },
  totp_removed: { subject: 'mail.totp_removed_subject', text: 'mail.totp_removed_text' },
  recovery_codes_made: { subject: 'mail.recovery_codes_made_subject', text: 'mail.recovery_codes_made_text' },
  recovery_code_used: { subject: 'mail.recovery_code_used_subject', text: 'mail.recovery_code_used_text' },
  provider_linked: { subject: 'mail.provider_linked_subject', text: 'mail.provider_linked_text' },
  provider_unlinked: { subject: 'mail.provider_unlinked_subject', text: 'mail.provider_unlinked_text' },
  token_reused: { subject: 'mail.token_reused_subject', text: 'mail.token_reused_text' },
  deletion_asked: { subject: 'mail.deletion_asked_subject', text: 'mail.deletion_asked_text' },
  deletion_cancelled: { subject: 'mail.deletion_cancelled_subject', text: 'mail.deletion_cancelled_text' },
  deleted: { subject: 'mail.deleted_subject', text: 'mail.deleted_text' },
  sign_in_code: { subject: 'mail.sign_in_code_subject', text: 'mail.sign_in_code_text' },
};

/** Whom a message goes to: a row of users will do. */
export interface Recipient {
  readonly email: string;
  /** Their time zone (IANA), where it is known: times are told in it. */
  readonly zoneinfo: string | null;
  /** Their language tag, where it is known. */
  readonly locale: string | null;
}
