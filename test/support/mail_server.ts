/** A real mail server of a test's own, which keeps what it took and refuses what it is told to. */
import { type ParsedMail, simpleParser } from 'mailparser';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { onTestFinished } from 'vitest';

export interface MailServerOptions extends SMTPServerOptions {
  /** What it answers to a recipient, or after the message; undefined to take it. */
  readonly refuse?: (step: 'RCPT' | 'DATA', address: string) => number | undefined;
  /** Answers after the message only when this is resolved. */
  readonly wait?: () => Promise<void>;
  readonly port?: number;
}

/** Starts it on a loopback port; it is closed when the test is over. */
export async function startMailServer(options: MailServerOptions = {}) {
  const taken: ParsedMail[] = [];
  const raw: string[] = [];
  const sessions: { secure: boolean; user: unknown }[] = [];
  const { refuse, wait, port = 0, ...rest } = options;
  const refusal = (step: 'RCPT' | 'DATA', address: string) => {
    const code = refuse?.(step, address);
    return code === undefined ? null : Object.assign(new Error('no'), { responseCode: code });
  };
  const server = new SMTPServer({
    ...{ authOptional: true, disabledCommands: rest.key === undefined ? ['STARTTLS'] : [], logger: false },
    ...{ hideSTARTTLS: rest.key === undefined, closeTimeout: 100 },
    onRcptTo({ address }, _, callback) {
      callback(refusal('RCPT', address));
    },
    async onData(stream, session, callback) {
      const chunks: Buffer[] = [];
      for await (const chunk of stream) chunks.push(chunk as Buffer);
      await wait?.();
      const refused = refusal('DATA', '');
      if (refused !== null) return callback(refused);
      const bytes = Buffer.concat(chunks);
      raw.push(bytes.toString());
      taken.push(await simpleParser(bytes));
      sessions.push({ secure: session.secure === true, user: session.user });
      return callback();
    },
    ...rest,
  });
  server.on('error', () => undefined); // a client that hangs up
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', () => resolve()));
  const close = () => new Promise<void>((resolve) => server.close(() => resolve()));
  onTestFinished(close);
  const address = server.server.address();
  const at = typeof address === 'object' && address !== null ? address.port : 0;
  return { port: at, url: `smtp://127.0.0.1:${at}`, taken, raw, sessions, close };
}
