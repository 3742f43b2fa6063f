/** Pushed authorization requests, and what the browser makes of them. RFC 9126. */
import type { NewClient } from '../../src/actions/clients.js';
import type { Browser, Page } from './browser.js';
import { goodRequest } from './flow.js';
import { basic, type Form, formBody, type JsonAnswer, post, type TestIdp } from './idp.js';

/** Pushes a good request with these changes. */
export function push(
  idp: TestIdp,
  { client, client_secret }: NewClient,
  changes: Form = {},
): Promise<JsonAnswer> {
  const { client_id } = client;
  if (client_secret === null) return post(`${idp.url}/par`, { client_id, ...goodRequest, ...changes });
  return post(`${idp.url}/par`, { ...goodRequest, ...changes }, basic(client_id, client_secret));
}

/** The same; gives the reference. */
export async function pushed(idp: TestIdp, client: NewClient, changes: Form = {}): Promise<string> {
  return (await push(idp, client, changes)).body.request_uri;
}

/** The browser comes with a reference. */
export function come(
  browser: Browser,
  client_id: string,
  request_uri: string,
  changes: Form = {},
): Promise<Page> {
  return browser.get(`/authorize?${formBody({ client_id, request_uri, ...changes })}`);
}
