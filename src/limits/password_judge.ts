/**
 * The judge of new passwords, a process of its own behind a short queue: it holds large dictionaries and may take long over a password
 * made for that. NIST SP 800-63B §5.1.1.2; hardening row 21; decisions 36.
 */
import { createChildQueue } from './child_queue.js';
import { busy } from './hashing_gate.js';

/**
 * `common`: on the list of common and leaked passwords. `personal`: easy to guess for who knows the person. `guessable`: easy to
 * guess for anybody.
 */
type Verdict = 'good' | 'common' | 'personal' | 'guessable';

export interface PasswordJudge {
  /** What to think of a password in NFC. `own`: words that somebody who knows the person would try. Throws UserError `busy`. */
  judge(password: string, own: readonly string[]): Promise<Verdict>;
  close(): void;
}

/** The process is started by the first password, takes half a second for that, and ends a minute after the last one. */
export function createPasswordJudge(): PasswordJudge {
  const script = new URL('./judging_process.js', import.meta.url);
  const jobs = createChildQueue({
    script,
    name: 'judging',
    slots: 1,
    queue: 32,
    full: busy,
    idle_ms: 60_000,
  });
  return {
    judge: async (password, own) => (await jobs.submit({ password, own })) as Verdict, // what judging_process.js sends
    close: jobs.close,
  };
}
