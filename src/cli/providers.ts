/** sallyport providers: other providers that people may sign in with. */
import { Command, Option } from 'commander';
import {
  addProvider,
  loadProvider,
  type NewProvider,
  type ProviderChanges,
  removeProvider,
  updateProvider,
} from '../actions/identity_providers.js';
import type { Deps } from '../deps.js';
import { scopeWords } from '../oauth/scope.js';
import * as identityProviders from '../store/identity_providers.js';
import { callbackUri, logoutUri, signedOutUri } from '../upstream/addresses.js';
import { readSecret } from './password_input.js';
import { collect, columns, dateTime, print, type Start } from './start.js';

type Switch = 'on' | 'off';

interface ProviderOptions {
  readonly name?: string;
  readonly kind?: identityProviders.ProviderKind;
  readonly issuer?: string;
  readonly authorizationEndpoint?: string;
  readonly tokenEndpoint?: string;
  readonly userinfoEndpoint?: string;
  readonly emailsEndpoint?: string;
  readonly claim?: readonly string[];
  readonly clientId?: string;
  readonly clientSecretStdin?: boolean;
  readonly tokenEndpointAuthMethod?: 'client_secret_basic' | 'client_secret_post';
  readonly idTokenAlg?: string;
  readonly scope?: string;
  readonly mailDomain?: readonly string[];
  readonly trustEmailVerified?: Switch;
  readonly trustMfa?: Switch;
  readonly mfaAcr?: readonly string[];
  readonly registration?: Switch;
  readonly signOut?: identityProviders.IdentityProviderRow['sign_out'];
  readonly enabled?: Switch;
  readonly json?: boolean;
}

export function providersCommand(start: Start): Command {
  const command = new Command('providers').description('other providers that people may sign in with');
  providerOptions(
    command.command('add <id>').description('add a provider; the id is part of its redirect URI'),
  )
    .addOption(
      new Option('--kind <kind>', 'oidc: an OpenID provider; oauth2: a server like GitHub')
        .choices(identityProviders.providerKinds)
        .default('oidc'),
    )
    .option('--issuer <issuer>', 'its issuer identifier, letter by letter')
    .action((id: string, options: ProviderOptions) =>
      start.withDeps(async (deps) => {
        const { kind = 'oidc', issuer } = options;
        const told: NewProvider = { kind, issuer, ...(await changesOf(options)) };
        tell(deps, await addProvider(deps, id, told, deps.clock()), options);
      }),
    );
  command
    .command('list')
    .description('list the providers')
    .option('--json', 'print JSON')
    .action((options: ProviderOptions) => start.withDeps((deps) => list(deps, options)));
  command
    .command('show <id>')
    .description('show a provider')
    .option('--json', 'print JSON')
    .action((id: string, options: ProviderOptions) =>
      start.withDeps(async (deps) => tell(deps, await loadProvider(deps, id), options)),
    );
  providerOptions(
    command.command('update <id>').description('change a provider: only what is named changes'),
  ).action((id: string, options: ProviderOptions, self: Command) => {
    const { json, ...named } = options;
    if (Object.keys(named).length === 0) self.error('error: say what is to be changed');
    return start.withDeps(async (deps) =>
      tell(deps, await updateProvider(deps, id, await changesOf(options), deps.clock()), options),
    );
  });
  command
    .command('remove <id>')
    .description('remove a provider: nobody signs in with it any more, and who it knew is forgotten')
    .option('--json', 'print JSON')
    .action((id: string, options: ProviderOptions) =>
      start.withDeps(async (deps) => {
        await removeProvider(deps, id, deps.clock());
        print({ id }, options, () => `${id} is removed.`);
      }),
    );
  return command;
}

/** What a provider is registered with. `''` takes away what was said before. */
function providerOptions(command: Command): Command {
  const onOff = (flags: string, about: string) => new Option(flags, about).choices(['on', 'off']);
  return command
    .option('--name <name>', 'what people know it by')
    .option('--client-id <client_id>', 'the client_id that it gave us')
    .option('--client-secret-stdin', 'read the client_secret that it gave us from standard input')
    .addOption(
      new Option('--token-endpoint-auth-method <method>', 'how the secret is sent').choices([
        'client_secret_basic',
        'client_secret_post',
      ]),
    )
    .option('--scope <scope>', 'the scopes that it is asked for, separated by spaces')
    .option(
      '--id-token-alg <alg>',
      'the algorithm that its ID tokens are signed with: RS256 unless told otherwise',
    )
    .option('--authorization-endpoint <url>', 'oauth2: where the browser is sent')
    .option('--token-endpoint <url>', 'oauth2: where codes are redeemed')
    .option('--userinfo-endpoint <url>', 'oauth2: where it says who somebody is')
    .option('--emails-endpoint <url>', 'oauth2: where it lists their addresses, as GitHub does')
    .option(
      '--claim <claim=member>',
      'where a claim is found there, sub=id for one; may be repeated',
      collect,
    )
    .option('--mail-domain <domain>', 'addresses of this domain are sent there; may be repeated', collect)
    .addOption(onOff('--trust-email-verified <on|off>', 'whether its email_verified counts here'))
    .addOption(onOff('--trust-mfa <on|off>', 'whether its word counts that it asked for two factors'))
    .option('--mfa-acr <acr>', 'an acr value by which it says so, beside amr; may be repeated', collect)
    .addOption(onOff('--registration <on|off>', 'whether people without an account here get one'))
    .addOption(
      new Option(
        '--sign-out <when>',
        'whether a sign-out here goes on there: asked for unless told otherwise',
      ).choices(identityProviders.signOuts),
    )
    .addOption(onOff('--enabled <on|off>', 'whether people can sign in with it'))
    .option('--json', 'print JSON');
}

async function changesOf(options: ProviderOptions): Promise<ProviderChanges> {
  const listed = (given: readonly string[] | undefined) =>
    given?.flatMap((text) => text.split(/[ ,]+/)).filter((text) => text !== '');
  const switched = (given: Switch | undefined) => (given === undefined ? undefined : given === 'on');
  const changes: { readonly [Name in keyof ProviderChanges]: ProviderChanges[Name] | undefined } = {
    display_name: options.name,
    authorization_endpoint: options.authorizationEndpoint,
    token_endpoint: options.tokenEndpoint,
    userinfo_endpoint: options.userinfoEndpoint,
    emails_endpoint: options.emailsEndpoint,
    claim_names: options.claim && claimNames(options.claim),
    client_id: options.clientId,
    client_secret: options.clientSecretStdin === true ? await readSecret() : undefined,
    token_endpoint_auth_method: options.tokenEndpointAuthMethod,
    id_token_signed_response_alg: options.idTokenAlg,
    scope: options.scope === undefined ? undefined : listed([options.scope]),
    mail_domains: listed(options.mailDomain),
    trust_email_verified: switched(options.trustEmailVerified),
    trust_mfa: switched(options.trustMfa),
    mfa_acr_values: listed(options.mfaAcr),
    registration: switched(options.registration),
    sign_out: options.signOut,
    enabled: switched(options.enabled),
  };
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
}

/** `claim=member` each. */
function claimNames(texts: readonly string[]): Record<string, string> {
  const pairs = texts.filter((text) => text !== '').map((text) => text.split('=', 2));
  return Object.fromEntries(pairs.map(([claim = '', member = '']) => [claim, member]));
}

/** A provider as it is printed: never its secret. */
function shown({ config }: Pick<Deps, 'config'>, row: identityProviders.IdentityProviderRow) {
  const { client_secret_sealed, claim_names, scope, mail_domains, mfa_acr_values, disabled_at, ...rest } =
    row;
  const { trust_email_verified, trust_mfa, registration, created_at, updated_at, ...texts } = rest;
  return {
    ...texts,
    has_client_secret: client_secret_sealed !== null,
    claim_names: JSON.parse(claim_names) as unknown,
    scope: scopeWords(scope),
    mail_domains: scopeWords(mail_domains),
    trust_email_verified: trust_email_verified === 1,
    trust_mfa: trust_mfa === 1,
    mfa_acr_values: scopeWords(mfa_acr_values),
    registration: registration === 1,
    enabled: disabled_at === null,
    ...{ created_at, updated_at, disabled_at },
    redirect_uri: callbackUri(config, row.id),
    ...(row.kind === 'oidc' && {
      post_logout_redirect_uri: signedOutUri(config, row.id),
      backchannel_logout_uri: logoutUri(config, row.id),
    }),
  };
}

function tell(deps: Deps, row: identityProviders.IdentityProviderRow, options: ProviderOptions): void {
  print(shown(deps, row), options, (provider) =>
    Object.entries(provider)
      .filter(([, value]) => value !== null)
      .map(([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
      .join('\n'),
  );
}

async function list(deps: Deps, options: ProviderOptions): Promise<void> {
  const rows = await identityProviders.list(deps.db);
  print(
    rows.map((row) => shown(deps, row)),
    options,
    () =>
      columns(
        rows.map(({ id, display_name, kind, issuer, authorization_endpoint, mail_domains, disabled_at }) => ({
          ...{ id, name: display_name, kind, at: issuer ?? authorization_endpoint },
          'mail domains': mail_domains,
          disabled: dateTime(disabled_at),
        })),
        'There are none yet.',
      ),
  );
}
