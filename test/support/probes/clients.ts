/** Clients that register, authenticate and get answers in the ways that a discovery document advertises, and in those that it does not. */
import { compactDecrypt, compactVerify, exportJWK, generateKeyPair, jwtVerify } from 'jose';
import { expect } from 'vitest';
import { type Advertised, ask, type Chosen, clientKey, hasFrontChannel } from '../advertised.js';
import { assertionOf, client_assertion_type } from '../assertion.js';
import { newCertificate } from '../certificates.js';
import { basic, code_verifier, type Form, post, redirect_uri } from '../idp.js';
import { authority, escaped } from '../mtls.js';
import { initialToken } from '../registration.js';

/** Implicit is no grant of the token endpoint: it stands for the response types with tokens (Discovery §3). */
export async function grantTypes(server: Advertised, { alg }: Chosen): Promise<void> {
  const { document, at, authorization, idp, client, user } = server;
  const advertised: string[] = document.grant_types_supported;
  const grant = (form: Form) => post(at(document.token_endpoint), form, authorization);
  const scope = document.scopes_supported.join(' ');
  const resource = [idp.issuer, ...document.protected_resources]; // a token has the scopes of its audience
  const { code } = await ask(server, { scope, resource });
  const first = await grant({
    grant_type: 'authorization_code',
    code: String(code),
    redirect_uri,
    code_verifier,
  });
  expect([first.status, first.body.scope.split(' ').sort()]).toEqual([200, scope.split(' ').sort()]);
  const { refresh_token } = first.body;
  expect(await grant({ grant_type: 'refresh_token', refresh_token })).toMatchObject({ status: 200 });
  expect(await grant({ grant_type: 'client_credentials', scope: 'read', resource })).toMatchObject({
    status: 200,
  });
  expect(advertised).toEqual(
    expect.arrayContaining(['authorization_code', 'refresh_token', 'client_credentials']),
  );
  expect(advertised.includes('implicit')).toBe(hasFrontChannel(document.response_types_supported));
  const urn = 'urn:ietf:params:oauth:grant-type:';
  const others = ['implicit', 'password', `${urn}device_code`, `${urn}jwt-bearer`, `${urn}token-exchange`];
  for (const grant_type of [...others, 'urn:openid:params:grant-type:ciba']) {
    expect(await grant({ grant_type })).toMatchObject({
      status: 400,
      body: { error: 'unsupported_grant_type' },
    });
    if (grant_type !== 'implicit') expect(advertised).not.toContain(grant_type);
  }
  const { payload, protectedHeader } = await jwtVerify(first.body.id_token, server.keySet, {
    audience: client.client_id,
  });
  expect(protectedHeader.alg).toBe(alg);
  expect(document.subject_types_supported).toContain(client.subject_type);
  expect([payload.iss, payload.sub === user.id]).toEqual([idp.issuer, client.subject_type === 'public']);
}

/** Members that nobody may register, because they are not advertised. RFC 7591 §3.2.2. */
async function expectRefused(server: Advertised, metadata: object): Promise<void> {
  const said = { client_name: 'Other', redirect_uris: [redirect_uri], ...metadata };
  const refusal = await server.idp.addClient(metadata).catch((error: unknown) => error);
  expect([metadata, refusal]).toEqual([metadata, expect.objectContaining({ code: 'invalid_request' })]);
  if (server.idp.config.CLIENT_REGISTRATION !== 'open') return;
  const { status, body } = await register(server, said);
  expect([metadata, status, body.error]).toEqual([metadata, 400, 'invalid_client_metadata']);
}

async function register({ document, at, idp }: Advertised, metadata: object, token?: string) {
  const response = await fetch(at(document.registration_endpoint ?? `${idp.issuer}/register`), {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(metadata),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? {} : JSON.parse(text) };
}

/** Registration is advertised where somebody may register: anybody, or who has a token. RFC 7591 §3. */
export async function registration(server: Advertised): Promise<void> {
  const { document, idp } = server;
  const policy = idp.config.CLIENT_REGISTRATION;
  expect('registration_endpoint' in document).toBe(policy !== 'closed');
  const response_types = document.response_types_supported;
  const grants: string[] = document.grant_types_supported;
  const grant_types = grants.filter((grant) => grant !== 'client_credentials'); // for who has a token
  const metadata = { redirect_uris: ['https://app.example/cb'], response_types, grant_types };
  const { status, body } = await register(server, metadata);
  const answers = { closed: [403, 'access_denied'], token: [401, undefined], open: [201, undefined] };
  expect([status, body.error]).toEqual(answers[policy]);
  if (policy === 'closed') return;
  const token = await initialToken(idp);
  expect(await register(server, { ...metadata, grant_types: grants }, token)).toMatchObject({ status: 201 });
}

/** Every response type, subject type and algorithm that is not advertised is refused where it would be registered. */
export async function unadvertised(server: Advertised): Promise<void> {
  const { document } = server;
  for (const response_type of ['token', 'id_token', 'none'])
    if (!document.response_types_supported.includes(response_type))
      await expectRefused(server, {
        response_types: ['code', response_type],
        grant_types: ['authorization_code', ...(hasFrontChannel([response_type]) ? ['implicit'] : [])],
      });
  await expectRefused(server, { subject_type: 'ephemeral' });
  for (const purpose of ['id_token', 'userinfo', 'introspection', 'authorization'])
    for (const alg of ['none', 'HS256', 'ES256K']) {
      expect(document[`${purpose}_signing_alg_values_supported`]).not.toContain(alg);
      await expectRefused(server, { [`${purpose}_signed_response_alg`]: alg });
    }
  await expectRefused(server, { introspection_encrypted_response_alg: 'RSA1_5' });
}

interface Way {
  /** What the client registers for it. */
  readonly metadata?: object;
  /** What its requests carry: in the form, or around it. */
  readonly form?: (client_id: string, client_secret: string) => Promise<Form> | Form;
  readonly headers?: (client_id: string, client_secret: string) => Record<string, string>;
}

const certificate = newCertificate({ issuer: authority, subject: [{ CN: 'client' }] });
const shown = () => escaped(certificate);
const certified = { keys: [{ kty: 'EC', x5c: [certificate.der.toString('base64')] }] };

/** Every method that a client could register here, and one of a draft. RFC 6749 §2.3; OpenID Connect Core §9; RFC 8705 §2. */
async function waysToAuthenticate({ idp }: Advertised, alg: string): Promise<Readonly<Record<string, Way>>> {
  const key = await clientKey(alg);
  const assertion = async (client_id: string, by: Parameters<typeof assertionOf>[2]): Promise<Form> => ({
    client_assertion_type,
    client_assertion: await assertionOf(idp, client_id, by),
  });
  const named = (client_id: string): Form => ({ client_id });
  return {
    client_secret_basic: { headers: basic },
    client_secret_post: { form: (client_id, client_secret) => ({ client_id, client_secret }) },
    client_secret_jwt: {
      form: (client_id, secret) => assertion(client_id, { alg: 'HS256', private_key: Buffer.from(secret) }),
    },
    private_key_jwt: {
      metadata: { jwks: { keys: [key.jwk] }, token_endpoint_auth_signing_alg: alg },
      form: (client_id) => assertion(client_id, key),
    },
    tls_client_auth: { metadata: { tls_client_auth_subject_dn: 'CN=client' }, form: named, headers: shown },
    self_signed_tls_client_auth: { metadata: { jwks: certified }, form: named, headers: shown },
    none: { form: named },
    attest_jwt_client_auth: {},
  };
}

/** Each method at each endpoint that lists it; what no endpoint lists cannot be registered. RFC 8414 §2. */
export async function authenticationMethods(server: Advertised, { alg }: Chosen): Promise<void> {
  const { document, at, idp } = server;
  const endpoints = ['token', 'introspection', 'revocation'];
  expect(document.token_endpoint_auth_signing_alg_values_supported).toEqual(
    expect.arrayContaining([alg, 'HS256']),
  );
  for (const [method, way] of Object.entries(await waysToAuthenticate(server, alg))) {
    const metadata = { ...way.metadata, token_endpoint_auth_method: method };
    if (!document.token_endpoint_auth_methods_supported.includes(method)) {
      await expectRefused(server, metadata);
      for (const name of endpoints)
        expect(document[`${name}_endpoint_auth_methods_supported`]).not.toContain(method);
      continue;
    }
    const { client, client_secret } = await idp.addClient(metadata);
    for (const name of endpoints) {
      const own = [client.client_id, client_secret ?? ''] as const;
      const form = { grant_type: 'authorization_code', code: 'x', token: 'x', redirect_uri, code_verifier };
      const answer = await post(
        at(document[`${name}_endpoint`]),
        { ...form, ...(await way.form?.(...own)) },
        way.headers?.(...own),
      );
      const listed = document[`${name}_endpoint_auth_methods_supported`].includes(method);
      const works = name === 'token' ? [400, 'invalid_grant'] : [200, undefined]; // the code is none, and it knows whose
      expect([method, name, answer.status, answer.body.error]).toEqual([
        ...[method, name],
        ...(listed ? works : [401, 'invalid_client']),
      ]);
    }
  }
}

/** The same endpoints at another origin, where there is one. RFC 8705 §5. */
export function aliases({ document, idp }: Advertised): void {
  const { MTLS_ORIGIN: origin } = idp.config;
  expect('mtls_endpoint_aliases' in document).toBe(origin !== undefined);
  for (const [name, url] of Object.entries<string>(document.mtls_endpoint_aliases ?? {}))
    expect(url).toBe(origin + new URL(document[name]).pathname);
}

/** What the application registered to be signed is: JARM, userinfo and introspection. */
export async function signedAnswers(server: Advertised, { alg }: Chosen): Promise<void> {
  const { document, at, authorization, keySet } = server;
  const { response, code } = await ask(server, { response_mode: 'jwt' });
  const form = { grant_type: 'authorization_code', code: String(code), redirect_uri, code_verifier };
  const { body } = await post(at(document.token_endpoint), form, authorization);
  const headers = { authorization: `Bearer ${body.access_token}` };
  const signed = {
    authorization: String(response),
    userinfo: await (await fetch(at(document.userinfo_endpoint), { headers })).text(),
    introspection: (
      await post(at(document.introspection_endpoint), { token: body.access_token }, authorization)
    ).body,
  };
  for (const [purpose, jwt] of Object.entries(signed)) {
    expect(document[`${purpose}_signing_alg_values_supported`]).toContain(alg);
    expect((await compactVerify(jwt, keySet)).protectedHeader.alg).toBe(alg);
  }
}

const encryptionKeys = new Map<string, ReturnType<typeof generateKeyPair>>();

/** An introspection answer is encrypted with what the client registers. RFC 9701 §5. */
export async function encryption({ document, at, idp }: Advertised, { jwe }: Chosen): Promise<void> {
  expect(document.introspection_encryption_alg_values_supported).toContain(jwe.alg);
  expect(document.introspection_encryption_enc_values_supported).toContain(jwe.enc);
  const made = encryptionKeys.get(jwe.alg) ?? generateKeyPair(jwe.alg, { extractable: true });
  encryptionKeys.set(jwe.alg, made);
  const { publicKey, privateKey } = await made;
  const { client, client_secret } = await idp.addClient({
    jwks: { keys: [{ ...(await exportJWK(publicKey)), use: 'enc', kid: 'e1' }] },
    introspection_encrypted_response_alg: jwe.alg,
    introspection_encrypted_response_enc: jwe.enc,
  });
  const own = basic(client.client_id, client_secret);
  const { body } = await post(at(document.introspection_endpoint), { token: 'x' }, own);
  expect((await compactDecrypt(body, privateKey)).protectedHeader).toMatchObject(jwe);
}

/** The frame is there exactly where it is named. Session Management §3.3. */
export async function sessionFrame({ document, at, idp }: Advertised): Promise<void> {
  const { check_session_iframe } = document;
  const { status } = await fetch(at(check_session_iframe ?? `${idp.issuer}/check-session`));
  expect(status).toBe(check_session_iframe === undefined ? 404 : 200);
}

/** No endpoint that is named is missing, or fails when it is asked for nothing. */
export async function endpoints({ document, at }: Advertised): Promise<void> {
  for (const [name, url] of Object.entries<string>(document)) {
    if (!/_endpoint$|_uri$|_iframe$/.test(name)) continue;
    const { status } = await fetch(at(url), { redirect: 'manual' });
    expect([name, status]).not.toEqual([name, 404]);
    expect([name, status < 500]).toEqual([name, true]);
  }
}
