import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createPlaces } from '../../src/devices/places.js';
import { newFolder } from '../support/folder.js';
import { mmdb } from '../support/mmdb.js';

const paris = {
  city: { names: { en: 'Paris', de: 'Paris an der Seine' } },
  country: { iso_code: 'FR', names: { en: 'France', de: 'Frankreich' } },
};

/** Places by a file with these networks. */
async function start(entries: Parameters<typeof mmdb>[0] | null) {
  const path = `${await newFolder()}/places.mmdb`;
  const write = (all: Parameters<typeof mmdb>[0]) => writeFileSync(path, mmdb(all));
  if (entries !== null) write(entries);
  /** Every byte of its data is another: the tree and the metadata are as they were. */
  const damage = () => {
    const bytes = readFileSync(path);
    const end = bytes.lastIndexOf('MaxMind.com') - 3;
    writeFileSync(
      path,
      bytes.map((byte, at) => (at >= 6 * 96 && at < end ? byte ^ 0xff : byte)),
    );
  };
  let now = 1000;
  const warned: unknown[] = [];
  const log = { warn: (...args: unknown[]) => void warned.push(args) };
  const places = createPlaces({ path, clock: () => now, log: log as never });
  const advance = (seconds: number) => {
    now += seconds;
  };
  return { places, write, damage, warned, advance };
}

describe('the place of an address', () => {
  test.each([
    ['203.0.113.9', 'en', 'Paris, France'],
    ['203.0.113.9', 'de', 'Paris an der Seine, Frankreich'],
    ['203.0.113.9', 'ar', 'Paris, France'],
    ['198.51.100.1', 'en', 'Japan'],
    ['2001:db8::1', 'en', 'Paris, France'],
    ['192.0.2.1', 'en', null],
    ['127.0.0.1', 'en', null],
    ['', 'en', null],
    ['nonsense', 'en', null],
  ])('%s in %s is %s', async (address, language, place) => {
    const { places } = await start({
      '203.0.113.0/24': paris,
      '198.51.100.0/24': { country: { names: { en: 'Japan' } } },
      '2001:db8::/32': paris,
      '192.0.2.0/24': {},
    });
    expect(await places.find(address, language)).toBe(place);
  });

  test('without a database is not known', async () => {
    const places = createPlaces({ path: undefined, clock: () => 0, log: { warn: () => undefined } as never });
    expect(await places.find('203.0.113.9', 'en')).toBeNull();
  });

  test('is looked up in a newer file within the hour', async () => {
    const { places, write, advance } = await start({ '203.0.113.0/24': paris });
    expect(await places.find('203.0.113.9', 'en')).toBe('Paris, France');
    write({ '203.0.113.0/24': { country: { names: { en: 'Spain' } } } });
    expect(await places.find('203.0.113.9', 'en')).toBe('Paris, France');
    advance(3600);
    expect(await places.find('203.0.113.9', 'en')).toBe('Spain');
  });

  test('by a file that is not there is not known: the log says so, once an hour, and nothing fails', async () => {
    const { places, warned, advance } = await start(null);
    for (let times = 0; times < 3; times += 1) expect(await places.find('203.0.113.9', 'en')).toBeNull();
    expect(warned).toHaveLength(1);
    advance(3600);
    await places.find('203.0.113.9', 'en');
    expect(warned).toHaveLength(2);
  });

  test('by a file that is damaged is not known, and nothing fails', async () => {
    const { places, damage, warned } = await start({ '203.0.113.0/24': paris });
    damage();
    expect(await places.find('203.0.113.9', 'en')).toBeNull();
    expect(warned).toHaveLength(1);
  });
});
