import { describe, expect, test } from 'vitest';
import { postJson, startSite } from '../support/first_party.js';
import { password } from '../support/idp.js';

const login = '/users/login';

describe('a body that is not one flat JSON object', () => {
  const good = JSON.stringify({ client_id: 'site', email: 'ada@example.com', password });

  test.each([
    ['application/x-www-form-urlencoded', 'client_id=site'],
    ['text/plain', good],
    ['application/json-not', good],
    ['multipart/form-data; boundary=x', '--x--'],
    ['', good],
  ])('of the content type %j is refused: another site’s form can send it', async (type, text) => {
    const { idp } = await startSite();
    const answer = await postJson(idp.browser(), login, text, { 'content-type': type });
    expect([answer.status, answer.body.error]).toEqual([400, 'invalid_request']);
  });

  test.each([
    ['nothing', ''],
    ['half of it', '{'],
    ['a list', '[]'],
    ['a string', '"site"'],
    ['null', 'null'],
    ['a byte order mark', `\ufeff${good}`],
    ['two of them', `${good}${good}`],
    ['a member twice', `{"client_id":"evil",${good.slice(1)}`],
    ['a member twice, once in disguise', `{"client_i\\u0064":"evil",${good.slice(1)}`],
    ['a member twice, once hidden', `{"client_id":{"a":"b"},${good.slice(1)}`],
    ['a deep one', `${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`],
    ['a deep list', '['.repeat(30_000) + ']'.repeat(30_000)],
  ])('%s is refused', async (_, text) => {
    const { idp } = await startSite();
    const answer = await postJson(idp.browser(), login, text);
    expect([answer.status, answer.body.error]).toEqual([400, 'invalid_request']);
  });

  test('of more than 64 KiB is 413', async () => {
    const { idp } = await startSite();
    const answer = await postJson(idp.browser(), login, JSON.stringify({ email: 'a'.repeat(65_536) }));
    expect([answer.status, answer.body.error]).toEqual([413, 'invalid_request']);
  });

  test('application/json; charset=utf-8 is read', async () => {
    const { idp } = await startSite();
    const type = { 'content-type': 'application/JSON; charset=utf-8' };
    expect((await postJson(idp.browser(), login, good, type)).status).toBe(200);
  });
});
