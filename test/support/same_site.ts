/**
 * The server behind a proxy that ends TLS, with applications on other hosts beside it on one port: browsers let a frame read cookies
 * only where its site is that of the page around it, and Secure ones only on https. Decisions 20.
 */
import { type RequestListener, request } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import { onTestFinished } from 'vitest';
import { startIdp } from './idp.js';
import { certificate, private_key } from './tls.js';

/** The page of an application: what a monitoring script does, for tests to call. */
const monitoringPage = `<!doctype html>
<title>An application</title>
<link rel="icon" href="data:,">
<script>
async function addFrame(attributes) {
  const frame = Object.assign(document.createElement('iframe'), attributes);
  const loaded = new Promise((resolve) => frame.addEventListener('load', resolve));
  document.body.append(frame);
  await loaded;
  return frame;
}
// The first message that comes from a window; 'no answer' if none does for so many milliseconds.
function answerFrom(asked, patience = 10_000) {
  return new Promise((resolve) => {
    window.addEventListener('message', ({ data, source }) => source === asked && resolve(data));
    setTimeout(resolve, patience, 'no answer');
  });
}
async function askFrame(src, messages) {
  const { contentWindow } = await addFrame({ src });
  const answers = [];
  for (const message of messages) {
    const answer = answerFrom(contentWindow);
    contentWindow.postMessage(message, new URL(src).origin);
    answers.push(await answer);
  }
  return answers;
}
async function askWindow(src, message) {
  const opened = window.open(src);
  const answer = answerFrom(opened, 2000);
  const asking = setInterval(() => opened.postMessage(message, '*'), 50);
  await answer.finally(() => clearInterval(asking));
  return answer;
}
// The question comes from a frame beside the one that is asked; what that hears it passes on.
async function askFromBeside(src, message, attributes, patience) {
  const asked = await addFrame({ src });
  const script = 'onmessage = ({ data }) => parent.postMessage(data, "*");' +
    'parent.frames[' + [...document.querySelectorAll('iframe')].indexOf(asked) + '].postMessage(' +
    JSON.stringify(message) + ', ' + JSON.stringify(new URL(src).origin) + ');';
  const asking = await addFrame({ ...attributes, srcdoc: '<script>' + script + '<\\/script>' });
  return answerFrom(asking.contentWindow, patience);
}
async function land(src) {
  return (await addFrame({ src })).contentWindow.location.href;
}
</script>
<body></body>`;

/** Every path shows the same. */
const monitoring: RequestListener = (_, res) => {
  res.setHeader('content-type', 'text/html; charset=utf-8');
  res.end(monitoringPage);
};

/** The server as https://id.sp.localhost:port. Any other host name is the application. */
export async function startSameSite(application = monitoring) {
  const proxy = createServer({ cert: certificate, key: private_key });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    proxy.closeAllConnections();
    await new Promise((resolve) => proxy.close(resolve));
  });
  const { port } = proxy.address() as AddressInfo; // a TCP server has one
  const idp = await startIdp({ settings: { ISSUER: `https://id.sp.localhost:${port}` } });

  proxy.on('request', (req, res) => {
    if (req.headers.host !== `id.sp.localhost:${port}`) {
      application(req, res);
      return;
    }
    const { method = 'GET', headers } = req;
    const behind = request(idp.url + req.url, { method, headers }, (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(res);
    });
    behind.on('error', () => res.destroy());
    req.pipe(behind);
  });
  return { idp, origin: (host: string) => `https://${host}:${port}` };
}

/** Calls one of the functions above in an application's page. */
export function inPage<T>(page: Page, name: string, ...args: readonly unknown[]): Promise<T> {
  return page.evaluate(`${name}(...${JSON.stringify(args)})`);
}
