/** Files that a command is told to read or to write. */
import { readFileSync } from 'node:fs';
import { InputError } from './input_error.js';

/** What `use` makes of the file. Throws InputError naming the file where it throws. */
export function fromFile<T>(path: string, use: () => T): T {
  try {
    return use();
  } catch (error) {
    throw new InputError(`${path}: ${error instanceof Error ? error.message : 'cannot be read'}`);
  }
}

/** The JSON object of a file. Throws InputError. */
export function readJson(path: string): Record<string, unknown> {
  const value = fromFile(path, () => JSON.parse(readFileSync(path, 'utf8')) as unknown);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw new InputError(`${path}: does not hold a JSON object`);
}
