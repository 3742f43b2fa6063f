import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readConfig } from '../src/config.js';
import { settingNames } from '../src/settings.js';
import { anyText } from './support/arbitraries.js';
import { noFile, problemsOf } from './support/config.js';

const key = Buffer.alloc(32, 7).toString('base64url');

describe('the settings', () => {
  test('need nothing to be set', () => {
    const config = readConfig({}, noFile);
    expect(config).toMatchObject({
      ISSUER: 'http://localhost:4000',
      DATABASE_URL: 'sqlite:data/sallyport.sqlite',
      KEYS_DIR: 'keys/',
      MASTER_KEY: undefined,
      CODE_SECONDS: 60,
      loopback: true,
      base: '',
      hosts: ['127.0.0.1', '::1'],
      port: 4000,
    });
    expect(new Set(Object.values(config.sources))).toEqual(new Set(['default']));
  });

  test('tell all that is wrong at once, each problem naming its variable', () => {
    const problems = problemsOf({
      SALLYPORT_ISSUER: 'ftp://id.example',
      SALLYPORT_PORT: '70000',
      SALLYPORT_CODE_SECONDS: 'soon',
      SALLYPORT_LOG_LEVEL: 'loud',
      SALLYPORT_ISUER: 'https://id.example',
      SALLYPORT_MASTER_KEY_FILE: '/run/secrets/nothing',
    });
    const named = problems.map((problem) => /^SALLYPORT_[A-Z_]+/.exec(problem)?.[0]).sort();
    expect(named).toEqual([
      'SALLYPORT_CODE_SECONDS',
      'SALLYPORT_ISSUER',
      'SALLYPORT_ISUER',
      'SALLYPORT_LOG_LEVEL',
      'SALLYPORT_MASTER_KEY_FILE',
      'SALLYPORT_PORT',
    ]);
  });

  test.each(['SALLYPORT_ISUER', 'SALLYPORT_', 'SALLYPORT_issuer', 'SALLYPORT_ISSUER_FILE_FILE'])(
    'refuse the unknown name %s',
    (name) => {
      expect(problemsOf({ [name]: 'x' })).toEqual([
        `${name} is not a setting. 'sallyport config' lists those there are.`,
      ]);
    },
  );

  test('leave other programs their variables', () => {
    expect(problemsOf({ PATH: '/bin', sallyport_issuer: 'x', XSALLYPORT_ISSUER: 'x' })).toEqual([]);
  });

  test.each(['', ' ', '\t'])('take an empty variable (%j) as not set', (empty) => {
    const config = readConfig({ SALLYPORT_ISSUER: empty, SALLYPORT_PORT: empty }, noFile);
    expect([config.ISSUER, config.port, config.sources.ISSUER]).toEqual([
      'http://localhost:4000',
      4000,
      'default',
    ]);
  });

  test('are frozen, inside too', () => {
    const config = readConfig({ SALLYPORT_TRUSTED_PROXIES: '10.0.0.0/8' }, noFile);
    for (const part of [config, config.hosts, config.sources, config.hashing, config.TRUSTED_PROXIES])
      expect(Object.isFrozen(part)).toBe(true);
  });
});

describe('a secret', () => {
  test('may come as a file, without the white space around it', () => {
    const config = readConfig({ SALLYPORT_MASTER_KEY_FILE: '/run/key' }, (path) =>
      path === '/run/key' ? ` ${key}\n` : noFile(path),
    );
    expect([config.MASTER_KEY, config.sources.MASTER_KEY]).toEqual([[key], 'file']);
  });

  test('is refused where it is set in both ways', () => {
    const problems = problemsOf(
      { SALLYPORT_MASTER_KEY: key, SALLYPORT_MASTER_KEY_FILE: '/run/key' },
      () => key,
    );
    expect(problems).toEqual(['SALLYPORT_MASTER_KEY and SALLYPORT_MASTER_KEY_FILE are both set']);
  });

  test('is named with its file where that cannot be read', () => {
    expect(problemsOf({ SALLYPORT_DATABASE_URL_FILE: '/run/gone' })).toEqual([
      'SALLYPORT_DATABASE_URL_FILE: /run/gone cannot be read (ENOENT: /run/gone)',
    ]);
  });

  test('never stands in what is told of it', () => {
    const told = problemsOf({ SALLYPORT_MASTER_KEY: 'hunter2', SALLYPORT_DATABASE_URL: 'hunter2' }).join();
    expect(told).toContain('SALLYPORT_MASTER_KEY');
    expect(told).not.toContain('hunter2');
  });

  test('alone has a _FILE: for another setting it is refused', () => {
    expect(problemsOf({ SALLYPORT_ISSUER_FILE: '/run/issuer' }, () => 'https://id.example')).toEqual([
      'SALLYPORT_ISSUER_FILE is not a setting: ISSUER is no secret',
    ]);
  });

  test.each([
    ['of 31 bytes', Buffer.alloc(31).toString('base64url')],
    ['of 33 bytes', Buffer.alloc(33).toString('base64url')],
    ['that is no base64url', 'correct horse'],
    ['of which the second is too short', `${key},AAAA`],
    ['that is a comma', ','],
    ['with characters that base64url does not have', `${key.slice(0, 20)}!!!${key.slice(20)}`],
  ])('for the master key is refused when it is one %s', (_, value) => {
    expect(problemsOf({ SALLYPORT_MASTER_KEY: value })).toEqual([
      expect.stringMatching(/^SALLYPORT_MASTER_KEY must be 32 bytes as base64url/),
    ]);
  });

  test('for the master key may be several, separated by commas', () => {
    const other = Buffer.alloc(32, 9).toString('base64url');
    expect(readConfig({ SALLYPORT_MASTER_KEY: `${key}, ${other}` }, noFile).MASTER_KEY).toEqual([key, other]);
  });
});

describe('the issuer', () => {
  test.each([
    ['https://id.example', ''],
    ['https://id.example:8443', ''],
    ['https://id.example/id', '/id'],
    ['https://id.example/a/b', '/a/b'],
    ['http://localhost:4000', ''],
    ['http://id.localhost:4000/id', '/id'],
    ['http://127.0.0.1:4000', ''],
    ['http://127.1.2.3:4000', ''],
    ['http://[::1]:4000', ''],
  ])('may be %s, under the path "%s" (RFC 8414 §2, HTTP-01, DSC-02)', (issuer, base) => {
    const config = readConfig({ SALLYPORT_ISSUER: issuer }, noFile);
    expect([config.ISSUER, config.base, config.loopback]).toEqual([
      issuer,
      base,
      issuer.startsWith('http://'),
    ]);
  });

  test.each([
    ['http on another host', 'http://id.example'],
    ['http on a private address', 'http://192.168.0.1:4000'],
    ['http on a host that only looks like loopback', 'http://localhost.example'],
    ['http on 127 in a name', 'http://127.0.0.1.example'],
    ['http on all addresses', 'http://0.0.0.0:4000'],
    ['a query', 'https://id.example?a=b'],
    ['an empty query', 'https://id.example/id?'],
    ['a fragment', 'https://id.example#a'],
    ['an empty fragment', 'https://id.example/id#'],
    ['a user name', 'https://ada@id.example'],
    ['a password', 'https://ada:secret@id.example'],
    ['an empty user name', 'https://@id.example'],
    ['a trailing slash', 'https://id.example/'],
    ['a trailing slash behind a path', 'https://id.example/id/'],
    ['no scheme', 'id.example'],
    ['no host', 'https://'],
    ['another scheme', 'ftp://id.example'],
    ['capitals in the host', 'https://ID.example'],
    ['the default port written out', 'https://id.example:443'],
    ['dots in the path', 'https://id.example/a/../b'],
    ['a space', 'https://id.example/a b'],
  ])('with %s is refused (DSC-02, HTTP-01)', (_, issuer) => {
    expect(problemsOf({ SALLYPORT_ISSUER: issuer })).toEqual([
      expect.stringMatching(/^SALLYPORT_ISSUER must be an https URL/),
    ]);
  });
});

describe('where the server listens', () => {
  const on = (env: Record<string, string>) => {
    const { hosts, port } = readConfig(
      Object.fromEntries(Object.entries(env).map(([name, value]) => [`SALLYPORT_${name}`, value])),
      noFile,
    );
    return [hosts, port];
  };

  test.each([
    ['on loopback alone for a loopback issuer', {}, [['127.0.0.1', '::1'], 4000]],
    ['on the port of a loopback issuer', { ISSUER: 'http://localhost:4100' }, [['127.0.0.1', '::1'], 4100]],
    ['on port 80 where the issuer names none', { ISSUER: 'http://localhost' }, [['127.0.0.1', '::1'], 80]],
    ['on the loopback address it is told', { HOST: '127.0.0.1' }, [['127.0.0.1'], 4000]],
    ['on the IPv6 loopback address it is told', { HOST: '::1' }, [['::1'], 4000]],
    ['on the one in brackets, too', { HOST: '[::1]' }, [['::1'], 4000]],
    ['on localhost', { HOST: 'localhost' }, [['localhost'], 4000]],
    ['on all addresses for an https issuer', { ISSUER: 'https://id.example' }, [['::'], 4000]],
    [
      'on port 4000 also where an https issuer names another, which is the proxy’s',
      { ISSUER: 'https://id.example:8443' },
      [['::'], 4000],
    ],
    [
      'on what it is told behind an https issuer',
      { ISSUER: 'https://id.example', HOST: '0.0.0.0', PORT: '8080' },
      [['0.0.0.0'], 8080],
    ],
  ])('is %s', (_, env, expected) => {
    expect(on(env)).toEqual(expected);
  });

  test.each([
    ['on port 443', { ISSUER: 'https://id.example' }, [['::'], 443]],
    ['on the port of the issuer', { ISSUER: 'https://id.example:8443/a' }, [['::'], 8443]],
    ['on the port it is told', { ISSUER: 'https://id.example', PORT: '8443' }, [['::'], 8443]],
  ])('with a certificate of its own is %s', (_, env, expected) => {
    expect(on({ ...env, TLS_CERT: 'cert.pem', TLS_KEY: 'key.pem' })).toEqual(expected);
  });

  test.each(['0.0.0.0', '::', '192.168.0.1', 'id.example', '127.0.0.1.example'])(
    'is never %s with a loopback http issuer (decisions 15)',
    (host) => {
      expect(problemsOf({ SALLYPORT_HOST: host })).toEqual([
        `SALLYPORT_HOST ${host} would offer a plain http server to other machines; use an https issuer`,
      ]);
    },
  );
});

describe('other rules', () => {
  test.each([
    ['an idle limit over the absolute one', { SESSION_IDLE_SECONDS: '7200', SESSION_MAX_SECONDS: '3600' }],
    ['a proxy that is no address', { TRUSTED_PROXIES: '10.0.0.1, proxy.example' }],
    ['a proxy network with too many bits', { TRUSTED_PROXIES: '10.0.0.0/33' }],
    ['a proxy that is a number', { TRUSTED_PROXIES: '60' }],
    ['a host to listen on with a port', { HOST: 'localhost:4000' }],
    ['a host to listen on that is a number', { HOST: '127.1' }],
    ['a host for outbound calls with a wildcard', { OUTBOUND_ALLOWED_HOSTS: 'intra.example, *' }],
    ['a host for outbound calls with a scheme', { OUTBOUND_ALLOWED_HOSTS: 'https://intra.example' }],
    ['a host for outbound calls with a port', { OUTBOUND_ALLOWED_HOSTS: 'intra.example:8443' }],
    ['a domain with an @', { USER_REGISTRATION_DOMAINS: '@example.com' }],
    ['a domain with a wildcard', { USER_REGISTRATION_DOMAINS: '*.example.com' }],
    [
      'a service for leaked passwords that is asked over http',
      { BREACHED_PASSWORDS_URL: 'http://leaks.example/' },
    ],
    ['one with a user name', { BREACHED_PASSWORDS_URL: 'https://ada:s3cret@leaks.example/' }],
    ['one that is no URL', { BREACHED_PASSWORDS_URL: 'leaks.example' }],
    ['a database with a port there is not', { DATABASE_URL: 'postgres://db.example:99999/id' }],
    ['a database with a / in its password', { DATABASE_URL: 'postgres://ada:s3/cret@db.example/id' }],
    ['a database that is neither SQLite nor PostgreSQL', { DATABASE_URL: 'mysql://localhost/x' }],
    ['a SQLite database without a path', { DATABASE_URL: 'sqlite:' }],
    ['seconds with a fraction', { CODE_SECONDS: '1.5' }],
    ['seconds below the least', { ACCESS_TOKEN_SECONDS: '0' }],
    ['seconds that are negative', { ACCESS_TOKEN_SECONDS: '-60' }],
    ['seconds that are no number', { ID_TOKEN_SECONDS: 'NaN' }],
    ['argon2id with too little memory', { ARGON2_MEMORY_KIB: '1024' }],
    ['attempt limits switched off', { ATTEMPTS_PER_ACCOUNT: '0' }],
    ['a log level there is not', { LOG_LEVEL: 'trace' }],
  ])('refuse %s', (_, env) => {
    const prefixed = Object.fromEntries(
      Object.entries(env).map(([name, value]) => [`SALLYPORT_${name}`, value]),
    );
    const [name = ''] = Object.keys(prefixed);
    expect(problemsOf(prefixed)).toEqual([expect.stringContaining(name)]);
    expect(problemsOf(prefixed).join()).not.toMatch(/s3.?cret/);
  });

  test('let the service for leaked passwords be asked over http where its host may be', () => {
    const env = {
      SALLYPORT_BREACHED_PASSWORDS_URL: 'http://leaks.example/range',
      SALLYPORT_OUTBOUND_ALLOWED_HOSTS: 'Leaks.example [::1] 10.0.0.1 bücher.example',
    };
    expect(problemsOf(env)).toEqual([]);
    expect(readConfig(env, noFile).OUTBOUND_ALLOWED_HOSTS).toEqual([
      'leaks.example',
      '[::1]',
      '10.0.0.1',
      'xn--bcher-kva.example',
    ]);
  });

  test('read lists with commas, spaces or both', () => {
    const config = readConfig({ SALLYPORT_TRUSTED_PROXIES: ' 10.0.0.0/8,::1  192.168.0.1 ,' }, noFile);
    expect(config.TRUSTED_PROXIES).toEqual(['10.0.0.0/8', '::1', '192.168.0.1']);
  });
});

test('any environment at all is read, or refused with a ConfigError that names variables', () => {
  const known = settingNames().flatMap((name) => [`SALLYPORT_${name}`, `SALLYPORT_${name}_FILE`]);
  const name = fc.oneof(
    fc.constantFrom(...known),
    fc.string().map((text) => `SALLYPORT_${text}`),
    fc.string(),
  );
  const value = fc.oneof(
    anyText(),
    fc.webUrl({ withFragments: true, withQueryParameters: true }),
    fc.integer().map(String),
    fc.constantFrom('http://localhost:1', '::1', 'sqlite:x', '', ' ', '\0', '1e9999', '[', 'https://[::1'),
  );
  fc.assert(
    fc.property(fc.dictionary(name, value, { maxKeys: 12 }), fc.string(), (env, file) => {
      const problems = problemsOf(env, () => file);
      expect(problems.every((problem) => problem.startsWith('SALLYPORT_'))).toBe(true);
    }),
    { numRuns: 300 },
  );
});
