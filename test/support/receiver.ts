/** An application that is told of sign-outs: it keeps the logout tokens that it is sent, and answers as the test says. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { decodeJwt, type JWTPayload } from 'jose';
import { onTestFinished } from 'vitest';

export type Reply = number | ((response: ServerResponse, request: IncomingMessage) => void);

export interface Receiver {
  /** What to register as backchannel_logout_uri. */
  readonly url: string;
  readonly requests: readonly IncomingMessage[];
  readonly logout_tokens: readonly string[];
  /** What the tokens say. */
  readonly claims: readonly JWTPayload[];
  /** How it answers from now on: a status, or whatever the function does. 200 before. */
  reply: Reply;
}

export async function startReceiver(reply: Reply = 200): Promise<Receiver> {
  const requests: IncomingMessage[] = [];
  const logout_tokens: string[] = [];
  const server = createServer(async (request, response) => {
    requests.push(request);
    const form = new URLSearchParams(await text(request));
    logout_tokens.push(form.get('logout_token') ?? '');
    if (typeof receiver.reply === 'number') response.writeHead(receiver.reply).end();
    else receiver.reply(response, request);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo; // a TCP server has one
  const receiver: Receiver = {
    url: `http://127.0.0.1:${port}/logout?kept=1`,
    requests,
    logout_tokens,
    get claims() {
      return logout_tokens.map((token) => decodeJwt(token));
    },
    reply,
  };
  return receiver;
}
