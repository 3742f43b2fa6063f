/** An issuer that would make every redirect of ours leave the server. Hardening row 5. */
import { expect, test } from 'vitest';
import { ConfigError, readConfig } from '../../src/config.js';

test.each([
  'https://id.example//evil.example',
  'https://id.example/a//b',
  'http://localhost:4000//evil.example',
])(
  'with the issuer %s a Location of ours would name another host: the server does not start',
  (SALLYPORT_ISSUER) => {
    expect(() => readConfig({ SALLYPORT_ISSUER }, () => '')).toThrow(ConfigError);
  },
);
