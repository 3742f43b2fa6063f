/**
 * What a User-Agent header says, for the person who has to know a device again. Only names of a closed list come out: the header is
 * anybody's to write, and what it says ends up in pages and mails of ours (hardening row 17).
 */
import bowser from 'bowser';

/** Headers are kept up to this length: real ones are shorter. */
const longest = 512;

/** A header as it is stored: bounded, and without what a terminal or a log would act upon. */
export function boundedUserAgent(header: string): string {
  return header
    .slice(0, longest)
    .replaceAll(/[\p{Cc}\p{Cf}]/gu, ' ')
    .trim();
}

/** A browser and its system by their usual names; null where they are none of those known. */
export interface DeviceNames {
  readonly browser: string | null;
  readonly system: string | null;
}

const browsers: ReadonlySet<string> = new Set(Object.values(bowser.BROWSER_MAP));
const systems: ReadonlySet<string> = new Set(Object.values(bowser.OS_MAP));

/** The browser and the system of a header. Of one that nobody knows, nothing. */
export function deviceNames(user_agent: string): DeviceNames {
  if (user_agent === '') return { browser: null, system: null };
  const { browser, os } = bowser.parse(user_agent.slice(0, longest));
  return { browser: known(browsers, browser.name), system: known(systems, os.name) };
}

function known(names: ReadonlySet<string>, name: string | undefined): string | null {
  return name !== undefined && names.has(name) ? name : null;
}
