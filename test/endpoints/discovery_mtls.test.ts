import { describe, expect, test } from 'vitest';
import { startIdp, type TestIdp } from '../support/idp.js';
import { startBehindProxy, startWithTls } from '../support/mtls.js';
import { rawRequest } from '../support/raw_http.js';

const read = async ({ url, config }: TestIdp) =>
  JSON.parse((await rawRequest(url, { path: `${config.base}/.well-known/openid-configuration` })).body);

const methodsOf = (metadata: Record<string, readonly string[]>) =>
  ['token', 'introspection', 'revocation'].map((name) =>
    metadata[`${name}_endpoint_auth_methods_supported`]
      ?.filter((method) => method.includes('tls'))
      .toSorted(),
  );
const thrice = <T>(value: T) => [value, value, value];

describe('discovery and certificates of clients (RFC 8705)', () => {
  test('lists both methods where certificates are seen and an authority is known (DSC-09)', async () => {
    const metadata = await read(await startBehindProxy());
    expect(methodsOf(metadata)).toEqual(thrice(['self_signed_tls_client_auth', 'tls_client_auth']));
  });

  test('lists no method of an authority where none is known (DSC-07)', async () => {
    const metadata = await read(await startBehindProxy({ CLIENT_CA: '' }));
    expect(methodsOf(metadata)).toEqual(thrice(['self_signed_tls_client_auth']));
  });

  test('lists neither where no certificate gets here, and such a client cannot be registered (DSC-07)', async () => {
    const idp = await startIdp();
    expect(methodsOf(await read(idp))).toEqual(thrice([]));
    expect(await read(idp)).not.toHaveProperty('mtls_endpoint_aliases');
    const subject = { token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_subject_dn: 'CN=a' };
    await expect(idp.addClient(subject)).rejects.toThrow('needs the settings for certificates of clients');
  });

  test('says nothing of tokens that are bound to certificates: they are not built', async () => {
    const metadata = await read(await startBehindProxy({ MTLS_ORIGIN: 'https://mtls.example' }));
    expect(metadata).not.toHaveProperty('tls_client_certificate_bound_access_tokens');
  });

  test('names the endpoints at the origin that asks for certificates, where it is another (MTL-03)', async () => {
    const aliases = (origin: string) => ({
      token_endpoint: `${origin}/token`,
      introspection_endpoint: `${origin}/introspect`,
      revocation_endpoint: `${origin}/revoke`,
      pushed_authorization_request_endpoint: `${origin}/par`,
    });
    const proxied = await startBehindProxy({
      ISSUER: 'https://id.example/a',
      MTLS_ORIGIN: 'https://mtls.example',
    });
    expect((await read(proxied)).mtls_endpoint_aliases).toEqual(aliases('https://mtls.example/a'));
    expect(await read(await startBehindProxy())).not.toHaveProperty('mtls_endpoint_aliases');
    const { idp, mtls_port } = await startWithTls();
    expect((await read(idp)).mtls_endpoint_aliases).toEqual(aliases(`https://id.example:${mtls_port}`));
  });
});
