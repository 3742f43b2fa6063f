import { compactDecrypt, decodeJwt, exportJWK, generateKeyPair } from 'jose';
import { describe, expect, test, vi } from 'vitest';
import { disableClient, removeClient, updateClient } from '../../src/actions/clients.js';
import { signOut } from '../../src/actions/sessions.js';
import type { Deps } from '../../src/deps.js';
import * as outbox from '../../src/store/outbox.js';
import { listByUser } from '../../src/store/sessions.js';
import { anotherProcess } from '../support/another_process.js';
import { engines } from '../support/database.js';
import { senderOf, signInElsewhere, startTold } from '../support/outbox.js';
import { startReceiver } from '../support/receiver.js';

describe.each(engines)('the outbox on %s', (engine) => {
  test('sends a logout token by a form, signed as the ID token was (BCL-01, BCL-02)', async () => {
    const { idp, user, tokens, receiver, end, rows } = await startTold(engine);
    await end();
    expect(await rows()).toMatchObject([{ state: 'queued', attempts: 0, answer: null }]);
    await senderOf(idp.deps).flush();
    const [request] = receiver.requests;
    expect([request?.method, request?.url, request?.headers['content-type']]).toEqual([
      ...['POST', '/logout?kept=1', 'application/x-www-form-urlencoded'],
    ]);
    const { sub, sid, iss, aud } = decodeJwt(tokens.id_token);
    expect(receiver.claims).toMatchObject([{ iss, aud, sub, sid, iat: idp.now() }]);
    expect(sub).toBe(user.id);
    expect(await rows()).toMatchObject([
      { state: 'answered', attempts: 1, answer: 'answered 200', next_attempt_at: null },
    ]);
  });

  test('sends again with a token of its own each time, later and later, until it is taken (BCL-01)', async () => {
    const { idp, receiver, end, rows } = await startTold(engine, 503);
    const sender = senderOf(idp.deps);
    await end();
    const began = idp.now();
    await sender.flush();
    for (const pause of [1, 5, 30, 120, 600, 1800, 3600, 3600]) {
      expect(await rows()).toMatchObject([
        { state: 'sent', answer: 'answered 503', next_attempt_at: idp.now() + pause },
      ]);
      const before = receiver.requests.length;
      idp.advance(pause - 1);
      await sender.flush();
      expect(receiver.requests).toHaveLength(before);
      idp.advance(1);
      if (pause === 3600) receiver.reply = 204;
      await sender.flush();
      expect(receiver.requests).toHaveLength(before + 1);
      if (receiver.reply === 204) break;
    }
    expect(await rows()).toMatchObject([{ state: 'answered', attempts: 8, answer: 'answered 204' }]);
    expect(new Set(receiver.claims.map(({ jti }) => jti)).size).toBe(8);
    expect(receiver.claims.map(({ iat = 0 }) => iat - began)).toEqual([0, 1, 6, 36, 156, 756, 2556, 6156]);
  });

  test('tells a client that wants encryption with the key of it that there is, and waits where none can be had (BCL-03)', async () => {
    const { idp, receiver, end, rows } = await startTold(engine);
    const { publicKey, privateKey } = await generateKeyPair('ECDH-ES', { extractable: true });
    const jwk = { ...(await exportJWK(publicKey)), kid: 'e1' };
    const encrypted = { id_token_encrypted_response_alg: 'ECDH-ES' };
    const change = (keys: object) => updateClient(idp.deps, 'shop', { ...encrypted, ...keys }, idp.now());
    await change({ jwks_uri: 'http://127.0.0.1:1/jwks' });
    await end();
    idp.advance(1);
    await senderOf(idp.deps).flush();
    expect(await rows()).toMatchObject([{ state: 'sent', answer: expect.stringContaining('jwks_uri') }]);
    await change({ jwks_uri: null, jwks: { keys: [jwk] } });
    idp.advance(1);
    await senderOf(idp.deps).flush();
    expect(await rows()).toMatchObject([{ state: 'answered', attempts: 2 }]);
    const { plaintext, protectedHeader } = await compactDecrypt(receiver.logout_tokens[0] ?? '', privateKey);
    expect(protectedHeader).toMatchObject({ alg: 'ECDH-ES', kid: 'e1', cty: 'JWT' });
    expect(decodeJwt(new TextDecoder().decode(plaintext))).toMatchObject({ aud: 'shop' });
  });

  test('gives up after a day', async () => {
    const { idp, receiver, end, rows } = await startTold(engine, 500);
    const sender = senderOf(idp.deps);
    await end();
    for (let hour = 0; hour < 40; hour += 1) {
      await sender.flush();
      idp.advance(3600);
    }
    expect(await rows()).toMatchObject([{ state: 'failed', answer: 'answered 500', next_attempt_at: null }]);
    expect(receiver.requests.length).toBeGreaterThan(20);
    expect(receiver.requests.length).toBeLessThan(32);
  });

  test('keeps a message over a restart between queueing and sending, and over a death in the middle of it', async () => {
    const { idp, receiver, end, rows } = await startTold(engine);
    await end();
    await idp.restart();
    const range = { now: idp.now(), next_attempt_at: idp.now() + 15, busy: [] };
    expect(await outbox.claim(idp.db, range)).toMatchObject({ state: 'sent', attempts: 1 }); // by a process that dies before it sends
    await idp.restart();
    const sender = senderOf(idp.deps);
    idp.advance(14);
    await sender.flush();
    expect(receiver.requests).toHaveLength(0);
    idp.advance(1);
    await sender.flush();
    expect(receiver.claims).toMatchObject([{ iat: idp.now() }]);
    expect(await rows()).toMatchObject([{ state: 'answered', attempts: 2 }]);
  });

  test('is emptied by two processes at once, each message sent once', async () => {
    const { idp, user, receiver } = await startTold(engine);
    for (let i = 0; i < 29; i += 1) await signInElsewhere(idp);
    const sessions = await listByUser(idp.db, user.id, idp.now());
    for (const session of sessions) await signOut(idp.deps, session, idp.now());
    const senders = [senderOf(idp.deps), senderOf(await anotherProcess(idp))];
    await Promise.all(senders.map((sender) => sender.flush()));
    await senders[0]?.flush();
    expect(receiver.claims.map(({ sid }) => sid).sort()).toEqual(sessions.map(({ id }) => id).sort());
    expect(receiver.claims).toHaveLength(30);
  });

  test('takes an outcome of an attempt only while no other was made', async () => {
    const { idp, end, rows } = await startTold(engine);
    await end();
    const now = idp.now();
    const first = await outbox.claim(idp.db, { now, next_attempt_at: now, busy: [] });
    const second = await outbox.claim(idp.db, { now, next_attempt_at: now + 15, busy: [] });
    const settle = (row: outbox.OutboxRow | undefined, answer: string) =>
      outbox.settle(idp.db, {
        ...{ id: row?.id ?? '', attempts: row?.attempts ?? 0, state: 'answered', answer },
        ...{ attempted_at: now, next_attempt_at: null },
      });
    expect([await settle(first, 'late'), await settle(second, 'in time')]).toEqual([false, true]);
    expect(await rows()).toMatchObject([{ answer: 'in time' }]);
  });
});

describe('an application answers', () => {
  test.each<[number, string]>([
    [200, 'answered'],
    [204, 'answered'],
    [400, 'failed'],
    [201, 'sent'],
    [301, 'sent'],
    [307, 'sent'],
    [401, 'sent'],
    [404, 'sent'],
    [429, 'sent'],
    [500, 'sent'],
  ])('%i: the message is %s (Back-Channel Logout §2.8, BCL-03)', async (status, state) => {
    const target = await startReceiver();
    const { idp, receiver, end, rows } = await startTold('sqlite', (response) =>
      response.writeHead(status, { location: target.url }).end(),
    );
    await end();
    const sender = senderOf(idp.deps);
    await sender.flush();
    expect(await rows()).toMatchObject([{ state, answer: `answered ${status}` }]);
    idp.advance(1);
    await sender.flush();
    expect(receiver.requests).toHaveLength(state === 'sent' ? 2 : 1);
    expect(target.requests).toEqual([]); // no redirect is followed
  });

  test('without end, or with rubbish: its status counts and it is hung up on', async () => {
    let hungUp = false;
    const { idp, end, rows } = await startTold('sqlite', (response) => {
      response.once('close', () => {
        hungUp = true;
      });
      response.writeHead(200).write('x'.repeat(65_536));
    });
    await end();
    await senderOf(idp.deps).flush();
    expect(await rows()).toMatchObject([{ state: 'answered' }]);
    await vi.waitFor(() => expect(hungUp).toBe(true));
  });

  test('nothing: it is asked again, and nobody waits for it, neither the person nor another application (BCL-01)', async () => {
    const { idp, shop, receiver, end, rows } = await startTold('sqlite', () => undefined);
    const other = await startReceiver();
    const sender = senderOf(idp.deps);
    await end();
    await vi.waitFor(() => expect(receiver.requests).toHaveLength(1)); // without a tick: the bell
    await updateClient(idp.deps, shop.client.client_id, { backchannel_logout_uri: other.url }, idp.now());
    await signInElsewhere(idp);
    await end();
    await vi.waitFor(() => expect(other.requests).toHaveLength(1));
    expect((await rows()).map(({ state }) => state).sort()).toContain('sent');
    await sender.flush();
    const answers = (await rows()).map(({ state, answer }) => `${state}: ${answer}`);
    expect(answers.sort()).toEqual(['answered: answered 200', 'sent: no complete answer within 5 s']);
  });

  test('not at all, since nobody listens: the receipt says why', async () => {
    const { idp, shop, end, rows } = await startTold();
    const nowhere = { backchannel_logout_uri: 'http://127.0.0.1:1/' };
    await updateClient(idp.deps, shop.client.client_id, nowhere, idp.now());
    await end();
    await senderOf(idp.deps).flush();
    expect(await rows()).toMatchObject([
      { state: 'sent', answer: expect.stringContaining('cannot be reached') },
    ]);
  });
});

describe('a client that, before it is told,', () => {
  test.each<[string, (deps: Deps, now: number) => Promise<unknown>]>([
    ['is disabled', (deps, now) => disableClient(deps, 'shop', true, now)],
    ['is removed', (deps, now) => removeClient(deps, 'shop', now)],
    ['takes its URI back', (deps, now) => updateClient(deps, 'shop', { backchannel_logout_uri: null }, now)],
  ])('%s is sent nothing', async (_, change) => {
    const { idp, receiver, end, rows } = await startTold();
    await end();
    await change(idp.deps, idp.now());
    await senderOf(idp.deps).flush();
    expect(receiver.requests).toEqual([]);
    expect(await rows()).toMatchObject([
      { state: 'failed', answer: 'the client has no backchannel_logout_uri any more' },
    ]);
  });
});
