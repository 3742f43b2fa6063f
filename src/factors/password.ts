/**
 * Passwords: argon2id behind the hashing gate, in PHC string format. RFC 9106; NIST SP 800-63B §5.1.1.2; hardening rows 16 and 21.
 */
import type { Config } from '../config.js';
import type { Argon2Options, HashingGate } from '../limits/hashing_gate.js';
import { newSecret } from '../secrets.js';
import { longest_bytes } from './new_password.js';

/** What is proved by it. RFC 8176 §2. */
export const amr = 'pwd';

type PasswordConfig = Pick<Config, 'ARGON2_MEMORY_KIB' | 'ARGON2_PASSES' | 'ARGON2_LANES'>;

export function hashPassword(
  hashing: HashingGate,
  config: PasswordConfig,
  password: string,
): Promise<string> {
  return hashing.hash(password.normalize('NFC'), options(config));
}

/**
 * Whether the password fits the hash. Without a hash (nobody has this address) a made-up one is checked at the same cost, and the
 * answer is false.
 */
export async function verifyPassword(
  hashing: HashingGate,
  config: PasswordConfig,
  password: string,
  hash: string | undefined,
): Promise<boolean> {
  const normal = password.normalize('NFC');
  // Too long to be anybody's: still hashed, in part, so that the answer comes no sooner.
  const tried = normal.slice(0, longest_bytes);
  const imported = hash !== undefined && !hash.startsWith('$argon2');
  const fits = imported
    ? await hashing.verify(hash, tried, madeUpHash(config))
    : await hashing.verify(hash ?? madeUpHash(config), tried);
  return fits && hash !== undefined && Buffer.byteLength(normal) <= longest_bytes;
}

/** Whether a hash was made with other parameters than those now set, in whatever order they stand, and should be renewed. */
export function isOutdated(config: PasswordConfig, hash: string): boolean {
  const { memoryCost, timeCost, parallelism } = options(config);
  const [, algorithm, version, parameters = ''] = hash.split('$');
  const wanted = [`m=${memoryCost}`, `p=${parallelism}`, `t=${timeCost}`].join();
  return algorithm !== 'argon2id' || version !== 'v=19' || parameters.split(',').sort().join() !== wanted;
}

function options(config: PasswordConfig): Argon2Options {
  return {
    memoryCost: config.ARGON2_MEMORY_KIB,
    timeCost: config.ARGON2_PASSES,
    parallelism: config.ARGON2_LANES,
  };
}

/** A hash that no password has been found for. */
function madeUpHash(config: PasswordConfig): string {
  const { memoryCost, timeCost, parallelism } = options(config);
  const base64 = (bytes: number) =>
    Buffer.from(newSecret(), 'base64url').subarray(0, bytes).toString('base64').replaceAll('=', '');
  return `$argon2id$v=19$m=${memoryCost},t=${timeCost},p=${parallelism}$${base64(16)}$${base64(32)}`;
}
