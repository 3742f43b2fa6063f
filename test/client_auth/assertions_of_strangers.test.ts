/** Whoever may register, and signs, does not fill a table: JWTs of clients that nobody answers for are counted (design §1.2). */
import { describe, expect, test } from 'vitest';
import { assertionOf, newClientKey, withAssertion } from '../support/assertion.js';
import { countIn } from '../support/authorize.js';
import { engines } from '../support/database.js';
import { startIdp, type TestIdp } from '../support/idp.js';
import { addStranger } from '../support/registration.js';

const key = await newClientKey();
const metadata = { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [key.jwk] } };

async function start(engine: (typeof engines)[number] = 'sqlite') {
  const idp = await startIdp({ engine, settings: { CLIENT_REGISTRATION_ASSERTIONS: '5' } });
  await addStranger(idp, metadata, 'stranger');
  return idp;
}

/** The error that a client gets which is authenticated, or not; a code that there is not, where it is. */
async function use(idp: TestIdp, assertion: string) {
  const { status, body, headers } = await idp.token(
    withAssertion(assertion, {
      grant_type: 'authorization_code',
      code: 'x',
      redirect_uri: 'https://app.example/cb',
    }),
  );
  return { status, error: body.error as string, retry_after: headers.get('retry-after') };
}

const authenticated = 'invalid_grant';

describe.each(engines)('on %s', (engine) => {
  test('of twenty assertions of a stranger at once so many are remembered as it may use, and the others are answered 429', async () => {
    const idp = await start(engine);
    const assertions = await Promise.all(Array.from({ length: 20 }, () => assertionOf(idp, 'stranger', key)));
    const answers = await Promise.all(assertions.map((assertion) => use(idp, assertion)));
    expect(answers.filter(({ error }) => error === authenticated)).toHaveLength(5);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(15);
    expect(answers.find(({ status }) => status === 429)).toMatchObject({
      error: 'temporarily_unavailable',
      retry_after: '3600',
    });
    expect(await countIn(idp, 'assertion_ids')).toBe(5);
    idp.advance(3600);
    expect(await use(idp, await assertionOf(idp, 'stranger', key))).toMatchObject({ error: authenticated });
  });
});

test('whoever replays an assertion of another uses up nothing of theirs', async () => {
  const idp = await start();
  const assertion = await assertionOf(idp, 'stranger', key);
  expect(await use(idp, assertion)).toMatchObject({ error: authenticated });
  for (let i = 0; i < 8; i += 1) expect(await use(idp, assertion)).toMatchObject({ error: 'invalid_client' });
  expect(await use(idp, await assertionOf(idp, 'stranger', key))).toMatchObject({ error: authenticated });
});

test('what is signed with another key is neither counted nor remembered', async () => {
  const idp = await start();
  const other = await newClientKey();
  for (let i = 0; i < 8; i += 1)
    expect(await use(idp, await assertionOf(idp, 'stranger', other))).toMatchObject({ status: 401 });
  expect(await countIn(idp, 'assertion_ids')).toBe(0);
  expect(await use(idp, await assertionOf(idp, 'stranger', key))).toMatchObject({ error: authenticated });
});

test('a client that the operator registered has no such limit', async () => {
  const idp = await start();
  await idp.addClient(metadata, 'batch');
  for (let i = 0; i < 8; i += 1)
    expect(await use(idp, await assertionOf(idp, 'batch', key))).toMatchObject({ error: authenticated });
});
