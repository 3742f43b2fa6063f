/**
 * The table of what an operator may set at start: name, parser, default, sentence. The README's copy is compared with it by a test.
 */
import type { z } from 'zod';
import { pages } from './settings/pages.js';
import { people } from './settings/people.js';
import { protocol } from './settings/protocol.js';
import { server } from './settings/server.js';

export type { Setting } from './settings/setting.js';

export const prefix = 'SALLYPORT_';

export const settings = { ...server, ...pages, ...people, ...protocol };

export type SettingName = keyof typeof settings;
/** What the parsers give. */
export type Values = { readonly [Name in SettingName]: z.output<(typeof settings)[Name]['schema']> };

export function settingNames(): readonly SettingName[] {
  return Object.keys(settings) as SettingName[]; // the keys of a constant table
}
