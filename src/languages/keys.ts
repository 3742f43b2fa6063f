/** The keys of all texts, as the English catalogues have them: one that is misspelled does not compile. One line for each area. */

interface Areas {
  readonly account: typeof import('../../views/languages/en/account.json');
  readonly admin: typeof import('../../views/languages/en/admin.json');
  readonly branding: typeof import('../../views/languages/en/branding.json');
  readonly choose: typeof import('../../views/languages/en/choose.json');
  readonly claim: typeof import('../../views/languages/en/claim.json');
  readonly claims: typeof import('../../views/languages/en/claims.json');
  readonly common: typeof import('../../views/languages/en/common.json');
  readonly confirm: typeof import('../../views/languages/en/confirm.json');
  readonly consent: typeof import('../../views/languages/en/consent.json');
  readonly errors: typeof import('../../views/languages/en/errors.json');
  readonly factor: typeof import('../../views/languages/en/factor.json');
  readonly form_post: typeof import('../../views/languages/en/form_post.json');
  readonly home: typeof import('../../views/languages/en/home.json');
  readonly email: typeof import('../../views/languages/en/email.json');
  readonly login: typeof import('../../views/languages/en/login.json');
  readonly logout: typeof import('../../views/languages/en/logout.json');
  readonly mail: typeof import('../../views/languages/en/mail.json');
  readonly passkeys: typeof import('../../views/languages/en/passkeys.json');
  readonly passwords: typeof import('../../views/languages/en/passwords.json');
  readonly register: typeof import('../../views/languages/en/register.json');
  readonly reset: typeof import('../../views/languages/en/reset.json');
  readonly providers: typeof import('../../views/languages/en/providers.json');
  readonly upstream: typeof import('../../views/languages/en/upstream.json');
}

type PluralForm = 'zero' | 'one' | 'two' | 'few' | 'many' | 'other';
type WithoutForm<Name> = Name extends `${infer Base}_${PluralForm}` ? Base : Name;
type KeyOf<Area extends keyof Areas> = `${Area}.${WithoutForm<keyof Areas[Area] & string>}`;

/** A key of a text: `login.title`. For a plural without the form, which follows from the value `count`. */
export type Key = { [Area in keyof Areas]: KeyOf<Area> }[keyof Areas];
