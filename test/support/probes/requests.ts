/** Authorization requests with all that a discovery document advertises, and with what it does not. */
import { expect } from 'vitest';
import { responseTypeNames } from '../../../src/oauth/response_types.js';
import {
  type Advertised,
  ask,
  type Chosen,
  objectFor,
  push,
  request_uri,
  send,
  visit,
} from '../advertised.js';
import { unsigned } from '../assertion.js';
import { goodRequest } from '../flow.js';
import { redirect_uri } from '../idp.js';

export async function responseTypes(server: Advertised): Promise<void> {
  const advertised: string[] = server.document.response_types_supported;
  expect(new Set(advertised).size).toBe(advertised.length);
  const unknown = ['token', 'code code', 'device'];
  for (const response_type of [...responseTypeNames, ...unknown]) {
    const outcome = await ask(server, { response_type });
    const { code, id_token, access_token, error } = outcome;
    const given = { code, id_token, token: access_token };
    const words = Object.entries(given).flatMap(([word, value]) => (value === undefined ? [] : [word]));
    if (!advertised.includes(response_type))
      expect([response_type, error]).toEqual([response_type, 'unsupported_response_type']);
    else {
      expect([response_type, words.join(' ') || 'none', error]).toEqual([
        response_type,
        response_type,
        undefined,
      ]);
      expect(outcome.iss).toBe(server.idp.issuer);
    }
  }
}

export async function responseModes(server: Advertised): Promise<void> {
  await eachWord(server, 'response_mode', server.document.response_modes_supported, [
    ...['web_message', 'web_message.jwt', 'cookie'],
  ]);
}

export async function prompts(server: Advertised): Promise<void> {
  await eachWord(server, 'prompt', server.document.prompt_values_supported, ['create', 'admin_consent']);
}

export async function challenges(server: Advertised): Promise<void> {
  await eachWord(server, 'code_challenge_method', server.document.code_challenge_methods_supported, [
    'plain',
  ]);
}

/** Requests with a word that is advertised lead to a code or a page, those with another to invalid_request. */
async function eachWord(
  server: Advertised,
  name: string,
  advertised: readonly string[],
  others: readonly string[],
) {
  for (const word of advertised) {
    const { code, page, ...rest } = await ask(server, { [name]: word });
    expect([word, code !== undefined || page !== undefined, rest.error]).toEqual([word, true, undefined]);
  }
  for (const word of others.filter((one) => !advertised.includes(one)))
    expect([word, (await ask(server, { [name]: word })).error]).toEqual([word, 'invalid_request']);
}

export async function acrs(server: Advertised): Promise<void> {
  const essential = (acr: string) => JSON.stringify({ id_token: { acr: { essential: true, value: acr } } });
  const [weakest, ...stronger] = server.document.acr_values_supported;
  expect(await ask(server, { claims: essential(weakest ?? '') })).toHaveProperty('code');
  for (const acr of stronger) // whoever asks here has no second factor; test/pages/factor.test.ts has one
    expect(await ask(server, { claims: essential(acr) })).toMatchObject({
      error: 'unmet_authentication_requirements',
    });
  expect(await ask(server, { claims: essential('urn:example:none') })).toMatchObject({
    error: 'unmet_authentication_requirements',
  });
}

/** Request objects by value, signed with what is advertised and with what is not. OpenID Connect Core §6.1; RFC 9101. */
export async function requestObjects(server: Advertised, { jwe }: Chosen): Promise<void> {
  const { document, client, idp } = server;
  expect(document.request_parameter_supported).toBe(true);
  expect(document.request_object_encryption_alg_values_supported).toContain(jwe.alg);
  expect(document.request_object_encryption_enc_values_supported).toContain(jwe.enc);
  const around = { redirect_uri, response_type: 'code' };
  for (const request of [await objectFor(server), await objectFor(server, {}, jwe)])
    expect(await send(server, { request, ...around })).toHaveProperty('code');
  const claims = { ...goodRequest, iss: client.client_id, client_id: client.client_id, aud: idp.issuer };
  for (const alg of ['none', 'HS256']) {
    expect(document.request_object_signing_alg_values_supported).not.toContain(alg);
    const request = unsigned({ alg, typ: 'oauth-authz-req+jwt' }, claims, alg === 'none' ? '' : 'c2ln');
    expect(await send(server, { request, ...around })).toMatchObject({ error: 'invalid_request_object' });
  }
  expect(await ask(server, { registration: '{}' })).toMatchObject({ error: 'registration_not_supported' });
}

/** Request objects by reference, which RFC 9126 §5 tells from pushed ones. OpenID Connect Core §6.2. */
export async function requestUris(server: Advertised): Promise<void> {
  const { document } = server;
  server.serve(await objectFor(server));
  const bring = (uri: string) => visit(server, { request_uri: uri, redirect_uri, response_type: 'code' });
  if (!document.request_uri_parameter_supported) {
    expect(await bring(request_uri)).toMatchObject({ error: 'request_uri_not_supported' });
    expect(document.require_request_uri_registration).toBe(false);
  } else {
    expect(await bring(request_uri)).toHaveProperty('code');
    expect(document.require_request_uri_registration).toBe(true);
    expect(await bring(`${request_uri}2`)).toMatchObject({ error: 'invalid_request_uri' });
  }
}

/** What must be pushed or signed is refused otherwise; what need not, works. RFC 9126 §5; RFC 9101 §10.5. */
export async function transport(server: Advertised): Promise<void> {
  const { require_pushed_authorization_requests: push_all, require_signed_request_object: sign_all } =
    server.document;
  const request = await objectFor(server);
  const ways = [
    { outcome: await visit(server, goodRequest), works: !push_all && !sign_all },
    { outcome: await visit(server, { request, redirect_uri, response_type: 'code' }), works: !push_all },
  ];
  for (const { outcome, works } of ways)
    expect([outcome.code !== undefined, outcome.error]).toEqual([
      works,
      works ? undefined : 'invalid_request',
    ]);
  const pushes = [
    { pushed: await push(server, goodRequest), works: !sign_all },
    { pushed: await push(server, { request }), works: true },
  ];
  for (const { pushed, works } of pushes)
    expect([pushed.status, pushed.body.error]).toEqual(works ? [201, undefined] : [400, 'invalid_request']);
}
