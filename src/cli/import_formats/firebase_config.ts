/** The parameters of a Firebase project's password hashes, as its console shows them or as JSON. */
import { z } from 'zod';
import { decode } from '../../factors/imported_hash.js';
import { InputError } from '../input_error.js';

export interface FirebaseConfig {
  readonly signer_key: Buffer;
  readonly salt_separator: Buffer;
  readonly rounds: number;
  readonly mem_cost: number;
}

const parameters = z.object({
  base64_signer_key: z.string().min(1),
  base64_salt_separator: z.string().min(1),
  rounds: z.coerce.number().int().min(1),
  mem_cost: z.coerce.number().int().min(1),
});

/** Reads `hash_config { … }`, with or without the quotes of JSON. Throws InputError naming what is missing. */
export function parseFirebaseConfig(text: string): FirebaseConfig {
  const found = [...text.matchAll(/"?(\w+)"?\s*:\s*"?([\w+/=-]+)"?/g)].map(([, name, value]) => [
    name,
    value,
  ]);
  const parsed = parameters.safeParse(Object.fromEntries(found));
  if (!parsed.success) {
    const names = parsed.error.issues.map((issue) => issue.path.join('.'));
    throw new InputError(`The hash configuration lacks ${[...new Set(names)].join(', ')}.`);
  }
  const { base64_signer_key, base64_salt_separator, rounds, mem_cost } = parsed.data;
  return {
    signer_key: decode(base64_signer_key, 'base64'),
    salt_separator: decode(base64_salt_separator, 'base64'),
    rounds,
    mem_cost,
  };
}
