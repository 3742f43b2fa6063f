/** What is known of one setting. */
import type { z } from 'zod';

export interface Setting {
  readonly schema: z.ZodType;
  /** As it would be written in the environment; undefined where nothing is set. */
  readonly fallback: string | undefined;
  readonly about: string;
  readonly secret?: true;
}
