// @ts-check
/**
 * A keep-alive HTTP/1.1 connection that does as little as possible. A request through node:http's client costs 0.10 ms of CPU, one
 * through this 0.02 ms: with the load on the same cores as the servers, the former would hide the difference that is to be measured.
 */
import { connect } from 'node:net';

const patience_ms = 30_000;
/** @type {Answer} */
const unreadable = { status: 0, head: '', body: '' };

/**
 * @typedef {object} Answer
 * @property {number} status
 * @property {string} head status line and headers
 * @property {string} body bytes as latin1
 *
 * @typedef {object} Connection
 * @property {(request: string) => Promise<Answer>} exchange one at a time
 * @property {() => void} close
 */

/**
 * A connection to a server. Opens itself when it is used, and again if the server closed it in between.
 * @param {string} origin
 * @returns {Connection}
 */
export function openConnection(origin) {
  const { hostname, port } = new URL(origin);
  /** @type {import('node:net').Socket | undefined} */
  let socket;
  /** @type {{ resolve: (answer: Answer) => void, reject: (error: Error) => void } | undefined} */
  let waiting;
  let received = '';

  function open() {
    const opened = connect({ host: hostname, port: Number(port), noDelay: true });
    opened.setEncoding('latin1');
    opened.setTimeout(patience_ms, () =>
      opened.destroy(new Error(`no answer within ${patience_ms / 1000} s`)),
    );
    opened.on('data', (/** @type {string} */ text) => {
      received = received === '' ? text : received + text;
      const answer = parseAnswer(received);
      if (answer === undefined) return;
      received = '';
      if (answer === unreadable) opened.destroy(new Error('an answer has neither content-length nor chunks'));
      else settle()?.resolve(answer);
    });
    opened.on('error', (error) => settle()?.reject(error));
    opened.on('close', () => settle()?.reject(new Error('the server closed the connection')));
    return opened;
  }

  function settle() {
    const settled = waiting;
    waiting = undefined;
    return settled;
  }

  return {
    exchange(request) {
      return new Promise((resolve, reject) => {
        if (socket === undefined || socket.destroyed) {
          received = '';
          socket = open();
        }
        waiting = { resolve, reject };
        socket.write(request);
      });
    },
    close: () => socket?.destroy(),
  };
}

/**
 * @param {string} text
 * @returns {Answer | undefined} undefined while it is not complete
 */
function parseAnswer(text) {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const head = text.slice(0, end);
  const status = Number(head.slice(9, 12));
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length !== undefined) {
    const size = end + 4 + Number(length);
    return text.length < size ? undefined : { status, head, body: text.slice(end + 4, size) };
  }
  if (status === 204 || status === 304) return { status, head, body: '' };
  const chunked = headerOf({ head }, 'transfer-encoding') === 'chunked';
  if (!chunked) return unreadable;
  return text.endsWith('\r\n0\r\n\r\n') ? { status, head, body: joinChunks(text.slice(end + 4)) } : undefined;
}

/** @param {string} text */
function joinChunks(text) {
  let body = '';
  let at = 0;
  for (;;) {
    const line = text.indexOf('\r\n', at);
    const size = Number.parseInt(text.slice(at, line), 16);
    if (!(size > 0)) return body;
    body += text.slice(line + 2, line + 2 + size);
    at = line + 2 + size + 2;
  }
}

/**
 * @param {{ readonly head: string }} answer
 * @param {string} name in lower case
 * @returns {string | undefined}
 */
export function headerOf({ head }, name) {
  return new RegExp(`\\r\\n${name}: *([^\\r]*)`, 'i').exec(head)?.[1];
}

/**
 * The text of a request.
 * @param {string} origin
 * @param {{ readonly method: string, readonly path: string, readonly headers?: Readonly<Record<string, string>>, readonly form?: Readonly<Record<string, string>> }} request
 */
export function requestText(origin, { method, path, headers = {}, form }) {
  const body = form === undefined ? '' : new URLSearchParams(form).toString();
  const all = {
    host: new URL(origin).host,
    ...headers,
    ...(form !== undefined && {
      'content-type': 'application/x-www-form-urlencoded',
      'content-length': String(body.length),
    }),
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`;
}
