/**
 * A service that knows the hashes of leaked passwords, asked by range (k-anonymity), as api.pwnedpasswords.com answers: it is told the
 * first five hex digits of the SHA-1 and gives all the rest it has, so that it does not learn which password was meant.
 */
import { createHash } from 'node:crypto';
import type { Deps } from '../deps.js';

/** Answers are some 40 KiB, padded ones some 60. */
const largest_answer = 256 * 1024;

/**
 * Whether the service of BREACHED_PASSWORDS_URL knows the password (in NFC). False where none is set, and where it does not answer: then the
 * log says so, since nobody is to be kept from a new password by somebody else's outage.
 */
export async function isBreached(
  { config, outbound, log }: Pick<Deps, 'config' | 'outbound' | 'log'>,
  password: string,
): Promise<boolean> {
  const base = config.BREACHED_PASSWORDS_URL;
  if (base === undefined) return false;
  const sha1 = createHash('sha1').update(password).digest('hex').toUpperCase();
  try {
    const { body } = await outbound.fetch({
      url: `${base.replace(/\/?$/, '/')}${sha1.slice(0, 5)}`,
      accept: 'text/plain',
      headers: { 'add-padding': 'true' }, // so that the size of the answer does not tell the range
      max_bytes: largest_answer,
    });
    return listed(body.toString('latin1'), sha1.slice(5));
  } catch (err) {
    log.warn({ event: 'breached_passwords_unanswered', err }, 'a new password was not looked up');
    return false;
  }
}

/** Lines are `suffix:count`; those with the count 0 are padding. */
function listed(answer: string, suffix: string): boolean {
  return answer.split(/\r?\n/).some((line) => {
    const [found, count] = line.split(':');
    return found?.toUpperCase() === suffix && Number(count) > 0;
  });
}
