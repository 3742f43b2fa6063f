import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { verifyAssertion, verifyRegistration } from '../../src/factors/webauthn.js';
import { readAnswer } from '../../src/factors/webauthn_answer.js';
import {
  authenticationOptions,
  registrationOptions,
  relyingParty,
} from '../../src/factors/webauthn_options.js';
import { Authenticator, type AuthenticatorOptions, type Changes } from '../support/authenticator.js';

const origin = 'https://id.example.com';
const rp = { id: 'id.example.com', origin, name: 'Sallyport' };
const ada = { user_id: 'ada-id', email: 'ada@example.com', name: 'Ada Lovelace', passkeys: [] };
const challenge = 'kX3v0i0dC5t3cXqfS1cGv2E3l3b6s0Fq0Z6o1QfXr9E';

async function registered(options: Partial<AuthenticatorOptions> = {}) {
  const authenticator = new Authenticator({ origin, ...options });
  const text = authenticator.create(registrationOptions(rp, ada, challenge));
  const made = await verifyRegistration(rp, text, challenge);
  if ('refused' in made) throw new Error(made.refused);
  return { authenticator, passkey: { ...made, user_id: ada.user_id } };
}

type Registered = Awaited<ReturnType<typeof registered>>;

async function assertion({ authenticator, passkey }: Registered, changes: Changes = {}) {
  const answer = readAnswer(
    authenticator.get(authenticationOptions(rp, null, challenge), changes),
    'authentication',
  );
  return 'refused' in answer ? answer : verifyAssertion(rp, answer, challenge, passkey);
}

describe('the relying party', () => {
  test.each([
    ['https://id.example.com', 'id.example.com', 'https://id.example.com'],
    ['https://example.com:8443/login', 'example.com', 'https://example.com:8443'],
    ['http://localhost:4000', 'localhost', 'http://localhost:4000'],
  ])('of %s is its host, and answers come from its origin', (ISSUER, id, from) => {
    expect(relyingParty({ ISSUER, PRODUCT_NAME: 'Id' })).toEqual({ id, origin: from, name: 'Id' });
  });

  test.each(['http://127.0.0.1:4000', 'http://[::1]:4000', 'https://203.0.113.9'])(
    'of %s is none: browsers make no passkeys for an address (WebAuthn §5.1.2)',
    (ISSUER) => {
      expect(relyingParty({ ISSUER, PRODUCT_NAME: 'Id' })).toBeNull();
    },
  );
});

describe('what a browser is asked', () => {
  test('for a new passkey: no attestation, any maker, none where one is already', () => {
    const passkeys = [{ credential_id: 'AQID', transports: 'internal hybrid' }];
    expect(registrationOptions(rp, { ...ada, passkeys }, challenge)).toMatchObject({
      rp: { id: 'id.example.com', name: 'Sallyport' },
      user: {
        id: Buffer.from('ada-id').toString('base64url'),
        name: 'ada@example.com',
        displayName: 'Ada Lovelace',
      },
      pubKeyCredParams: [{ alg: -7 }, { alg: -8 }, { alg: -257 }],
      excludeCredentials: [{ type: 'public-key', id: 'AQID', transports: ['internal', 'hybrid'] }],
      attestation: 'none',
    });
  });

  test('for a sign-in says nothing of any account, and wants to know who is there', () => {
    const options = authenticationOptions(rp, null, challenge);
    expect(options).toMatchObject({ rpId: 'id.example.com', userVerification: 'required' });
    expect(options).not.toHaveProperty('allowCredentials');
  });

  test('for a second factor names those of the person', () => {
    const options = authenticationOptions(rp, [{ credential_id: 'AQID', transports: '' }], challenge);
    expect(options).toMatchObject({
      userVerification: 'preferred',
      allowCredentials: [{ type: 'public-key', id: 'AQID' }],
    });
  });
});

describe('a new passkey', () => {
  test.each([-7, -8, -257] as const)('with algorithm %i is taken, and signs', async (alg) => {
    const made = await registered({ alg });
    expect(made.passkey).toMatchObject({ sign_count: 0, transports: 'hybrid internal', stands_alone: 1 });
    expect(await assertion(made)).toEqual({ sign_count: 1, backed_up: 0, user_verified: true });
  });

  test('of an authenticator that asks nobody cannot stand alone', async () => {
    expect((await registered({ user_verified: false })).passkey.stands_alone).toBe(0);
  });

  test.each<[what: string, changes: Changes, reason: RegExp]>([
    ['another site', { origin: 'https://id.example.com.attacker.example' }, /origin/],
    ['another relying party', { rp_id: 'example.com' }, /RP ID/i],
    ['another challenge', { challenge: 'AAAA' }, /challenge/],
    ['a sign-in', { type: 'webauthn.get' }, /type/],
    ['a frame of another site', { cross_origin: true }, /frame/],
    ['nobody at the authenticator', { user_present: false }, /present/],
    ['an algorithm that was not asked for', { alg: -65535 }, /alg/],
  ])('made for %s is refused', async (_, changes, reason) => {
    const text = new Authenticator({ origin }).create(registrationOptions(rp, ada, challenge), changes);
    expect(await verifyRegistration(rp, text, challenge)).toEqual({ refused: expect.stringMatching(reason) });
  });

  test('brings an attestation that nobody asked for: it is not looked at, and nothing is fetched for it', async () => {
    const x5c = [new Uint8Array([1, 2, 3])];
    const statement = new Map<string, unknown>([['x5c', x5c]]);
    const authenticator = new Authenticator({ origin });
    for (const fmt of ['packed', 'apple', 'android-key', 'tpm', 'fido-u2f', 'made up']) {
      const text = authenticator.create(registrationOptions(rp, ada, challenge), {
        attestation: { fmt, statement },
      });
      expect(await verifyRegistration(rp, text, challenge)).toMatchObject({
        credential_id: authenticator.credential_id,
      });
    }
  });

  test('that names another id than the authenticator signed for is refused', async () => {
    const made = JSON.parse(new Authenticator({ origin }).create(registrationOptions(rp, ada, challenge)));
    const text = JSON.stringify({ ...made, id: 'AQID', rawId: 'AQID' });
    expect(await verifyRegistration(rp, text, challenge)).toEqual({
      refused: expect.stringMatching(/another/),
    });
  });
});

describe('an assertion', () => {
  test.each<[what: string, changes: Changes, reason: RegExp]>([
    ['of another site', { origin: 'https://attacker.example' }, /origin/],
    ['of the same host without TLS', { origin: 'http://id.example.com' }, /origin/],
    ['for another relying party', { rp_id: 'attacker.example' }, /RP ID/i],
    ['for another challenge', { challenge: 'AAAA' }, /challenge/],
    ['that is a registration', { type: 'webauthn.create' }, /type/],
    ['from a frame of another site', { cross_origin: true }, /frame/],
    ['without anybody there', { user_present: false }, /present/],
    ['of another person', { user_handle: Buffer.from('eve-id').toString('base64url') }, /another user/],
    ['whose key has become one that can be copied', { backup_eligible: true }, /backup/],
    ['whose signature was changed', { tamper: true }, /signature|verif/i],
  ])('%s is refused', async (_, changes, reason) => {
    const made = await registered();
    expect(await assertion(made, changes)).toEqual({ refused: expect.stringMatching(reason) });
  });

  test('by another key is refused', async () => {
    const [one, other] = [await registered(), await registered()];
    expect(await assertion({ authenticator: one.authenticator, passkey: other.passkey })).toHaveProperty(
      'refused',
    );
  });

  test('says whether it was made sure who is there', async () => {
    const made = await registered();
    expect(await assertion(made, { user_verified: false })).toMatchObject({ user_verified: false });
  });
});

describe('what is posted', () => {
  test('is refused, never thrown at, whatever it is', async () => {
    const { authenticator, passkey } = await registered();
    const good = JSON.parse(authenticator.get({ rpId: rp.id, challenge }));
    const member = fc.constantFrom('clientDataJSON', 'authenticatorData', 'signature', 'userHandle');
    const rubbish = fc.oneof(fc.string(), fc.base64String(), fc.jsonValue());
    await fc.assert(
      fc.asyncProperty(member, rubbish, async (name, value) => {
        const changed = { ...good, response: { ...good.response, [name]: value } };
        const answer = readAnswer(JSON.stringify(changed), 'authentication');
        const verdict = 'refused' in answer ? answer : await verifyAssertion(rp, answer, challenge, passkey);
        if (name !== 'userHandle' || value !== null) expect(verdict).toHaveProperty('refused');
      }),
      { numRuns: 60 },
    );
    await fc.assert(
      fc.asyncProperty(rubbish, async (value) => {
        const made = JSON.parse(authenticator.create({ rp, user: { id: 'YQ' }, challenge }));
        const changed = { ...made, response: { ...made.response, attestationObject: value } };
        expect(await verifyRegistration(rp, JSON.stringify(changed), challenge)).toHaveProperty('refused');
        expect(await verifyRegistration(rp, JSON.stringify(value), challenge)).toHaveProperty('refused');
      }),
      { numRuns: 60 },
    );
  });
});
