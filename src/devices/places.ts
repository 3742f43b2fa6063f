/**
 * Where in the world a network address is, roughly, by a database that the operator provides (setting GEOIP_DB; a MaxMind DB file of
 * kind City or Country). Nothing is asked of another server. Without a database there are no places.
 */
import type { CityResponse, Reader } from 'maxmind';
import type { Log } from '../deps.js';

export interface Places {
  /** "Paris, France" in this language, or in English where the database lacks it; null where it knows nothing. Never throws. */
  find(address: string, language: string): Promise<string | null>;
}

interface PlaceOptions {
  /** The file; undefined where none is configured. */
  readonly path: string | undefined;
  readonly clock: () => number;
  readonly log: Pick<Log, 'warn'>;
}

/** How long an opened file is used: whoever puts a newer one in its place sees it within the hour. */
const keep_seconds = 3600;

interface Opened {
  readonly at: number;
  readonly reader: Promise<Reader<CityResponse> | null>;
}

/** Opens the file at the first look, and anew once an hour. A file that cannot be read is told in the log, and there are no places. */
export function createPlaces({ path, clock, log }: PlaceOptions): Places {
  let opened: Opened | undefined;

  function reader(file: string): Opened['reader'] {
    const now = clock();
    if (opened === undefined || now - opened.at >= keep_seconds) {
      const reading = openFile(file).catch((err: unknown) => {
        log.warn({ err }, 'the database of places (GEOIP_DB) cannot be read');
        return null; // a page goes without places rather than not at all
      });
      opened = { at: now, reader: reading };
    }
    return opened.reader;
  }

  return {
    async find(address, language) {
      if (path === undefined || address === '') return null;
      const database = await reader(path);
      try {
        const found = database?.get(address) ?? null;
        return found === null ? null : nameOf(found, language);
      } catch (err) {
        log.warn({ err }, 'the database of places (GEOIP_DB) is damaged');
        return null; // as above
      }
    },
  };
}

/** The library is loaded here: whoever has no database does without. */
async function openFile(file: string): Promise<Reader<CityResponse>> {
  const { open } = await import('maxmind');
  return open<CityResponse>(file, { cache: { max: 1000 } });
}

function nameOf({ city, country }: Partial<CityResponse>, language: string): string | null {
  const named = (names: object | undefined) => {
    const all = (names ?? {}) as Readonly<Record<string, string | undefined>>; // by language
    return all[language] ?? all.en;
  };
  const words = [named(city?.names), named(country?.names)].filter((word) => word !== undefined);
  return words.length === 0 ? null : words.join(', ');
}
