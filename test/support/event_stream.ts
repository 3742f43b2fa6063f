/** A reader of the stream of revocations. */
import { onTestFinished } from 'vitest';
import { basic } from './idp.js';
import type { Shop } from './shop.js';

interface StreamEvent {
  readonly id?: string;
  readonly event: string;
  readonly data: string;
}

/** Reads the stream as a browser's EventSource does, comments left out. */
export async function listen(shop: Shop, headers: Record<string, string> = {}) {
  const own = basic('shop', shop.shop.client_secret);
  const stopping = new AbortController();
  onTestFinished(() => stopping.abort());
  const response = await shop.idp.fetch('/revocations', {
    headers: { ...own, ...headers },
    signal: stopping.signal,
  });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  return {
    status: response.status,
    headers: response.headers,
    body: () => response.text(),
    stop: () => stopping.abort(),
    /** What comes next, comments and all. */
    async raw(): Promise<string> {
      const { value, done } = (await reader?.read()) ?? { done: true };
      if (done) throw new Error('the stream has ended');
      return value ?? '';
    },
    async next(): Promise<StreamEvent> {
      for (;;) {
        const at = text.indexOf('\n\n');
        if (at < 0) {
          const { value, done } = (await reader?.read()) ?? { done: true };
          if (done) throw new Error('the stream has ended');
          text += value;
          continue;
        }
        const lines = text.slice(0, at).split('\n');
        text = text.slice(at + 2);
        const fields = lines.filter((line) => !line.startsWith(':')).map((line) => line.split(/: (.*)/));
        if (fields.length > 0) return Object.fromEntries(fields);
      }
    },
  };
}
