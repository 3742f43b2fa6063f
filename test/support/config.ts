/** What is wrong with an environment. */
import { ConfigError, type Environment, readConfig } from '../../src/config.js';

/** A file system without files. */
export const noFile = (path: string): string => {
  throw new Error(`ENOENT: ${path}`);
};

/** The problems of an environment: none means that it is read. */
export function problemsOf(env: Environment, readFile = noFile): readonly string[] {
  try {
    readConfig(env, readFile);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}
