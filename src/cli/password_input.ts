/** Asks for a password: on a terminal without showing it, twice; else, or with --password-stdin, from standard input. */
import { InputError } from './input_error.js';

/** Bytes. */
const longest = 16_384;

export async function readPassword(from_stdin: boolean): Promise<string> {
  if (from_stdin) return (await readAll()).replace(/\r?\n$/, '');
  if (!process.stdin.isTTY)
    throw new InputError('There is no terminal to ask for a password at; use --password-stdin.');
  const password = await ask('Password: ');
  if ((await ask('Once more: ')) !== password) throw new InputError('The two passwords are not the same.');
  return password;
}

/** A secret that another server gave us: from standard input, its surrounding space left out. */
export async function readSecret(): Promise<string> {
  return (await readAll()).trim();
}

async function readAll(): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of process.stdin) {
    chunks.push(chunk as Buffer);
    length += chunk.length;
    if (length > longest) throw new InputError('What is on standard input is too long.');
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(chunks));
  } catch {
    throw new InputError('What is on standard input is no UTF-8.');
  }
}

/** Reads a line from the terminal in raw mode, so that nothing is shown. */
function ask(question: string): Promise<string> {
  const { stdin, stderr } = process;
  stderr.write(question);
  stdin.setRawMode(true).setEncoding('utf8').resume();
  return new Promise((resolve, reject) => {
    let typed = '';
    const done = (finish: () => void) => {
      stdin.off('data', listen).setRawMode(false).pause();
      stderr.write('\n');
      finish();
    };
    const listen = (chunk: string) => {
      for (const key of chunk) {
        if (key === '\r' || key === '\n') return done(() => resolve(typed));
        if (key === '\u0003') return done(() => reject(new InputError('Cancelled.')));
        typed = key === '\u007f' || key === '\b' ? [...typed].slice(0, -1).join('') : typed + key;
      }
    };
    stdin.on('data', listen);
  });
}
