import { describe, expect, test } from 'vitest';
import { addResource, loadResource, removeResource, updateResource } from '../../src/actions/resources.js';
import * as resources from '../../src/store/resources.js';
import { anotherProcess } from '../support/another_process.js';
import { engines } from '../support/database.js';
import { startIdp } from '../support/idp.js';
import { eventsOf } from '../support/shop.js';

const api = 'https://api.example';

describe.each(engines)('a resource server on %s', (engine) => {
  test('is added once: of twenty at the same moment one does it', async () => {
    const idp = await startIdp({ engine });
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, () => addResource(idp.deps, api, { scope: ['read'] }, idp.now())),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await resources.list(idp.db)).toHaveLength(1);
    expect(await eventsOf(idp, 'resource_added')).toMatchObject([{ detail: expect.stringContaining(api) }]);
  });

  test('is known to every other process within a second, and so is what becomes of it', async () => {
    const idp = await startIdp({ engine });
    const operator = await anotherProcess(idp);
    const known = async () => {
      idp.advance(1);
      return [...(await idp.deps.caches.resources()).entries()];
    };
    expect(await known()).toEqual([]);
    const { identifier } = await addResource(operator, api, { scope: ['write', 'read', 'write'] }, idp.now());
    expect(await known()).toEqual([[identifier, ['write', 'read']]]);
    await updateResource(operator, api, { scope: ['read'] }, idp.now());
    expect(await known()).toEqual([[identifier, ['read']]]);
    await removeResource(operator, api, idp.now());
    expect(await known()).toEqual([]);
  });
});

describe('a resource server', () => {
  test.each([
    ['a relative URI', 'api'],
    ['a path', '/api'],
    ['a URI with a fragment (RFC 8707 §2)', 'https://api.example#x'],
    ['a URI with an empty fragment', 'https://api.example#'],
    ['a URI with a space', 'https://api.example/a b'],
    ['one over 2,048 characters', `https://api.example/${'a'.repeat(2048)}`],
    ['nothing', ''],
  ])('cannot be %s', async (_, identifier) => {
    const idp = await startIdp();
    await expect(addResource(idp.deps, identifier, { scope: [] }, idp.now())).rejects.toMatchObject({
      code: 'invalid_input',
    });
    expect(await resources.list(idp.db)).toEqual([]);
  });

  test.each([['urn:example:api'], ['https://api.example/v1?tenant=a'], ['http://127.0.0.1:4003']])(
    'can be %s',
    async (identifier) => {
      const idp = await startIdp();
      await addResource(idp.deps, identifier, { scope: [] }, idp.now());
      expect(await loadResource(idp.deps, identifier)).toMatchObject({ scope: '', created_at: idp.now() });
    },
  );

  test('is the same with its scheme and host in capitals, and another with another path', async () => {
    const idp = await startIdp();
    await addResource(idp.deps, 'HTTPS://API.Example/V1', { scope: [] }, idp.now());
    expect((await loadResource(idp.deps, 'https://api.example/V1')).identifier).toBe(
      'https://api.example/V1',
    );
    const same = addResource(idp.deps, 'https://api.example/V1', { scope: [] }, idp.now());
    await expect(same).rejects.toMatchObject({ code: 'conflict' });
    await addResource(idp.deps, 'https://api.example/v1', { scope: [] }, idp.now());
    expect(await resources.list(idp.db)).toHaveLength(2);
  });

  test('is never the issuer itself, which needs no adding', async () => {
    const idp = await startIdp();
    await expect(addResource(idp.deps, idp.issuer, { scope: [] }, idp.now())).rejects.toMatchObject({
      code: 'invalid_input',
    });
  });

  test.each(['two words\u0007', 'quo"te', 'back\\slash'])('has no scope %j (RFC 6749 §3.3)', async (word) => {
    const idp = await startIdp();
    await expect(addResource(idp.deps, api, { scope: [word] }, idp.now())).rejects.toMatchObject({
      code: 'invalid_scope',
    });
  });

  test('that is not there is not found, by whatever is done to it', async () => {
    const idp = await startIdp();
    for (const work of [
      () => loadResource(idp.deps, api),
      () => updateResource(idp.deps, api, { scope: [] }, idp.now()),
      () => removeResource(idp.deps, api, idp.now()),
    ])
      await expect(work()).rejects.toMatchObject({ code: 'not_found' });
    expect(await eventsOf(idp, 'resource_removed')).toEqual([]);
  });
});
