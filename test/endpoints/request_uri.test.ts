import { describe, expect, test } from 'vitest';
import type { Environment } from '../../src/config.js';
import { jwsAlgs } from '../../src/oauth/algorithms.js';
import { newClientKey } from '../support/assertion.js';
import { answerOf, ask, codeOf, expectErrorPage } from '../support/authorize.js';
import { type Form, type JsonAnswer, redirect_uri, startIdp } from '../support/idp.js';
import { replies } from '../support/outbound.js';
import { bare, type ObjectChanges, startSigning } from '../support/request_object.js';

const key = await newClientKey('ES256');
const foreign = await newClientKey('ES256');
const start = (options: Parameters<typeof startSigning>[1] = {}) => startSigning(key, options);

describe('by reference', () => {
  const uri = 'https://shop.example/request.jwt';
  const type = 'application/oauth-authz-req+jwt';

  interface Fetching {
    readonly metadata?: object;
    readonly settings?: Environment;
    readonly content_type?: string;
    readonly body?: string;
  }

  async function startFetching(options: Fetching = {}) {
    const table = replies();
    const { outbound } = table;
    const fetched: typeof outbound = {
      ...outbound,
      fetch: async (request) => ({
        ...(await outbound.fetch(request)),
        content_type: options.content_type ?? type,
      }),
    };
    const started = await start({
      metadata: { request_uris: [uri], ...options.metadata },
      settings: { REQUEST_URI: 'registered', ...options.settings },
      substitutes: { outbound: fetched },
    });
    const serve = async (changes: ObjectChanges = {}) =>
      table.set(uri, Buffer.from(options.body ?? (await started.object(changes))));
    await serve();
    const send = (request_uri: string, outside: Form = {}) =>
      ask(started.browser, 'shop', { ...bare, request_uri, ...outside });
    return { ...started, table, serve, send };
  }

  test('an object is fetched from a registered address (JAR-07)', async () => {
    const { send, table } = await startFetching();
    expect(codeOf(await send(uri))).not.toBe('');
    expect(table.asked).toEqual([uri]);
  });

  test('each time, unless a fragment names its version; a new one is fetched again (JAR-07)', async () => {
    const { send, serve, table } = await startFetching();
    await send(uri);
    await serve({ claims: { state: 'two' } });
    expect(answerOf(await send(uri)).state).toBe('two');
    expect(answerOf(await send(`${uri}#v2`)).state).toBe('two');
    await serve({ claims: { state: 'three' } });
    expect(answerOf(await send(`${uri}#v2`)).state).toBe('two');
    expect(answerOf(await send(`${uri}#v3`)).state).toBe('three');
    expect(table.asked).toEqual([uri, uri, uri, uri]);
  });

  test('and a version is kept for an hour', async () => {
    const { idp, send, table, browser } = await startFetching();
    await send(`${uri}#v1`);
    idp.advance(3600);
    await send(`${uri}#v1`);
    expect([table.asked.length, browser.cookies.size > 0]).toEqual([2, true]);
  });

  test.each<[string, string]>([
    ['is not registered', 'https://shop.example/other.jwt'],
    ['is of another server', 'https://evil.example/request.jwt'],
    ['has another query', `${uri}?x=1`],
    ['is longer than 512 characters', `${uri}#${'x'.repeat(512)}`],
  ])('an address that %s: invalid_request_uri, and nothing is fetched (JAR-07)', async (_, request_uri) => {
    const { send, table } = await startFetching();
    expect(answerOf(await send(request_uri, { redirect_uri })).error).toBe('invalid_request_uri');
    expectErrorPage(await send(request_uri));
    expect(table.asked).toEqual([]);
  });

  test.each([
    ['cannot be reached', undefined, type],
    ['is of another type', 'x.y.z', 'text/html'],
  ])('an object that %s: invalid_request_uri (JAR-07)', async (_, body, content_type) => {
    const { send, table } = await startFetching({ content_type, ...(body !== undefined && { body }) });
    if (body === undefined) table.remove(uri);
    expect(answerOf(await send(uri, { redirect_uri })).error).toBe('invalid_request_uri');
  });

  test.each(['application/jwt;charset=UTF-8', 'application/jose', 'text/plain', 'application/octet-stream'])(
    'an object of type %s is read: what counts is its signature (OpenID Connect Core §6.2)',
    async (content_type) => {
      const { send } = await startFetching({ content_type });
      expect(answerOf(await send(uri)).error).toBeUndefined();
    },
  );

  test('an object that is signed by another: invalid_request_object (JAR-07)', async () => {
    const { send, table, object } = await startFetching();
    table.set(uri, Buffer.from(await object({}, foreign)));
    expect(answerOf(await send(uri, { redirect_uri })).error).toBe('invalid_request_object');
  });

  test('beside one by value: invalid_request (AUT-16)', async () => {
    const { send, object } = await startFetching();
    const both = { request: await object(), redirect_uri };
    expect(answerOf(await send(uri, both)).error).toBe('invalid_request');
  });

  test('is off unless a setting says otherwise: request_uri_not_supported (AUT-16)', async () => {
    const { browser } = await start({ metadata: { request_uris: [uri] } });
    const page = await ask(browser, 'shop', { request_uri: uri });
    expect(answerOf(page).error).toBe('request_uri_not_supported');
  });

  test('is off where every request must be pushed, and nothing is fetched (AUT-16, DSC-07)', async () => {
    const { send, table } = await startFetching({ settings: { REQUIRE_PUSHED_REQUESTS: 'true' } });
    expect(answerOf(await send(uri, { redirect_uri })).error).toBe('request_uri_not_supported');
    expect(table.asked).toEqual([]);
  });
});

test.each<[string, Environment, boolean]>([
  ['off', { REQUEST_URI: 'off' }, false],
  ['registered', { REQUEST_URI: 'registered' }, true],
  ['registered, but all are pushed', { REQUEST_URI: 'registered', REQUIRE_PUSHED_REQUESTS: 'true' }, false],
])(
  'discovery says what can be done with request objects: by reference %s (DSC-11, DSC-12)',
  async (_, settings, on) => {
    const idp = await startIdp({ settings });
    const path = '/.well-known/openid-configuration';
    const metadata = (await (await idp.fetch(path)).json()) as JsonAnswer['body'];
    expect(metadata).toMatchObject({
      request_parameter_supported: true,
      request_uri_parameter_supported: on,
      require_request_uri_registration: on,
      require_signed_request_object: false,
      request_object_signing_alg_values_supported: jwsAlgs,
    });
    expect(metadata.request_object_signing_alg_values_supported).not.toContain('none');
  },
);
