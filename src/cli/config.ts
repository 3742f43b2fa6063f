/** sallyport config: every setting, its value and where it comes from; secrets are masked. */
import { Command } from 'commander';
import type { Config } from '../config.js';
import { aboutMail } from '../mailing.js';
import { prefix, type SettingName, settingNames, settings } from '../settings.js';
import { columns, print, type Start } from './start.js';

export function configCommand(start: Start): Command {
  return new Command('config')
    .description('print every setting, its value and its source')
    .option('--json', 'print JSON')
    .action((options) => {
      const config = start.config();
      const rows = settingNames().map((name) => ({
        name: prefix + name,
        value: shownValue(config, name),
        source: config.sources[name],
      }));
      print(rows, options, () => `${columns(rows, '')}\n\n${aboutMail(config)}`);
    });
}

function shownValue(config: Config, name: SettingName): string {
  const value = config[name];
  if (value === undefined) return '';
  if (name === 'DATABASE_URL') return withoutPassword(String(value));
  if ('secret' in settings[name]) return '***';
  return Array.isArray(value) ? value.join(',') : String(value);
}

/** A database URL may hold its password in front of the host or as a parameter. */
function withoutPassword(url: string): string {
  return url
    .replace(/\/\/([^:/@]*):.*@/, '//$1:***@') // up to the last @: whatever the password holds is masked
    .replace(/([?&](?:ssl)?password=)[^&]*/gi, '$1***');
}
