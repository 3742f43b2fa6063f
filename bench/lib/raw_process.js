// @ts-check
/** The other half of raw.js: does one kind of operation for some seconds and says how many there were. */
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
import { argon2id, hash, verify } from 'argon2';

const signAsync = promisify(sign);
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
/** As long as what is signed for an access token. */
const message = randomBytes(450);
const password = 'correct horse battery staple';
const password_hash = await hash(password, {
  type: argon2id,
  memoryCost: 19456,
  timeCost: 2,
  parallelism: 1,
});

const kinds = {
  sign: { concurrency: 16, work: () => signAsync('sha256', message, privateKey) },
  argon2id: { concurrency: availableParallelism(), work: () => verify(password_hash, password) },
};

process.on(
  'message',
  async (/** @type {{ kind: keyof typeof kinds, seconds: number }} */ { kind, seconds }) => {
    const { concurrency, work } = kinds[kind];
    let operations = 0;
    const cpu_before = process.cpuUsage();
    const started = performance.now();
    const loop = async () => {
      while (performance.now() < started + seconds * 1000) {
        await work();
        operations += 1;
      }
    };
    await Promise.all(Array.from({ length: concurrency }, loop));
    const { user, system } = process.cpuUsage(cpu_before);
    const elapsed = (performance.now() - started) / 1000;
    process.send?.({ rate: operations / elapsed, cpu_ms: (user + system) / 1000 / operations });
  },
);
