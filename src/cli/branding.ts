/** sallyport branding: name, logo, colours and links of the pages. */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { type BrandChanges, loadBrand, resetBrand, setBrand } from '../actions/branding.js';
import { type Brand, type BrandSetting, brandSettingNames } from '../branding/brand.js';
import { InputError } from './input_error.js';
import { fromFile } from './input_file.js';
import { columns, print, type Start } from './start.js';

interface SetOptions {
  readonly name?: string;
  readonly logo?: string;
  readonly accent?: string;
  readonly accentDark?: string;
  readonly privacyLink?: string;
  readonly termsLink?: string;
  readonly helpLink?: string;
  readonly json?: boolean;
}

export function brandingCommand(start: Start): Command {
  const command = new Command('branding').description('say how the pages look');
  command
    .command('show')
    .description('show what is set')
    .option('--json', 'print JSON')
    .action((options: { json?: boolean }) =>
      start.withDeps(async (deps) => tell(await loadBrand(deps), options)),
    );
  command
    .command('set')
    .description('set what is named: at /branding/preview an administrator sees it')
    .option('--name <name>', 'the name on the pages, in place of SALLYPORT_PRODUCT_NAME')
    .option('--logo <file>', 'a PNG, JPEG or WebP of at most 64 KiB')
    .option('--accent <colour>', 'the colour of buttons and links, as #rrggbb')
    .option('--accent-dark <colour>', 'the same on dark pages; by default a lighter shade of it')
    .option('--privacy-link <url>', 'your privacy policy')
    .option('--terms-link <url>', 'your terms of service')
    .option('--help-link <url>', 'where people get help')
    .option('--json', 'print JSON')
    .action((options: SetOptions, self: Command) => {
      const changes = changesOf(options);
      if (Object.keys(changes).length === 0) self.error('error: say what is to be set');
      return start.withDeps(async (deps) => tell(await setBrand(deps, changes, deps.clock()), options));
    });
  command
    .command('reset [names...]')
    .description(`take back what was set, or some of it: ${brandSettingNames.join(', ')}`)
    .option('--json', 'print JSON')
    .action((names: readonly string[], options: { json?: boolean }) =>
      start.withDeps(async (deps) => tell(await resetBrand(deps, namesOf(names), deps.clock()), options)),
    );
  return command;
}

function changesOf(options: SetOptions): BrandChanges {
  const { name, logo, accent, accentDark, privacyLink, termsLink, helpLink } = options;
  return {
    ...(name !== undefined && { product_name: name }),
    ...(logo !== undefined && { logo: fromFile(logo, () => readFileSync(logo)) }),
    ...(accent !== undefined && { accent }),
    ...(accentDark !== undefined && { accent_dark: accentDark }),
    ...(privacyLink !== undefined && { privacy_uri: privacyLink }),
    ...(termsLink !== undefined && { terms_uri: termsLink }),
    ...(helpLink !== undefined && { help_uri: helpLink }),
  };
}

function namesOf(names: readonly string[]): readonly BrandSetting[] {
  const unknown = names.find((name) => !(brandSettingNames as readonly string[]).includes(name));
  if (unknown !== undefined)
    throw new InputError(`${unknown} is not one of ${brandSettingNames.join(', ')}.`);
  return names.length === 0 ? brandSettingNames : brandSettingNames.filter((name) => names.includes(name));
}

function tell(brand: Brand, options: { readonly json?: boolean | undefined }): void {
  const { logo, ...others } = brand;
  const shown = {
    ...others,
    ...(logo && { logo: `${logo.type}, ${Buffer.byteLength(logo.data, 'base64')} bytes` }),
  };
  print(shown, options, () =>
    columns(
      Object.entries(shown).map(([name, value]) => ({ name, value })),
      'Nothing is set: the pages look as they come.',
    ),
  );
}
