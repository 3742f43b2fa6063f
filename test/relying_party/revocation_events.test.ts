import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createEventParser, type StreamEvent } from '../../src/relying_party/event_stream.js';
import { sessionRevoked, startIssuer, type TestIssuer } from '../support/issuer.js';

const credentials = { client_id: 'https://api.example.com/ä', client_secret: 's3:cr+t %' };
const list = '/status-lists/1';

describe('the push channel', () => {
  test('makes a revocation known at once, and only that one', async () => {
    const { idp, verifier, mine, other } = await connected();
    idp.push(`id: 1\nevent: set\ndata: ${await idp.securityEvent(9)}\n\n`);
    await expectRevoked(() => verifier.verify(mine));
    await verifier.verify(other);
    expect(verifier.reported).toEqual([]);
  });

  test.each([
    ['seconds (CAEP 1.0 §2)', 1],
    ['milliseconds, as in its drafts', 1000],
  ])('takes times in %s', async (_, factor) => {
    const { idp, verifier, mine } = await connected();
    const event = { event_timestamp: idp.clock.now * factor, status_list: { idx: 9, uri: idp.uri } };
    idp.push(`event: set\ndata: ${await idp.securityEvent(9, { events: { [sessionRevoked]: event } })}\n\n`);
    await expectRevoked(() => verifier.verify(mine));
    idp.advance(1);
    const same = await idp.statusList(); // too early to know of it, whichever the unit
    idp.faults.set(list, (_req, res) => res.end(same));
    const before = idp.asked(list);
    idp.push('event: reset\ndata: {}\n\n');
    await expect.poll(() => idp.asked(list)).toBe(before + 1);
    await expect(verifier.verify(mine)).rejects.toMatchObject({ reason: 'revoked' });
  });

  test('is asked for with credentials, both form-urlencoded first (RFC 6749 §2.3.1)', async () => {
    const { idp } = await connected();
    const sent = idp.requests.find(({ path }) => path === '/events')?.headers;
    expect(sent?.accept).toBe('text/event-stream');
    expect(sent?.['last-event-id']).toBeUndefined();
    const [scheme, text = ''] = sent?.authorization?.split(' ') ?? [];
    expect([scheme, Buffer.from(text, 'base64').toString()]).toEqual([
      'Basic',
      'https%3A%2F%2Fapi.example.com%2F%C3%A4:s3%3Acr%2Bt+%25',
    ]);
  });

  test('is not asked for without credentials, nor where no list names it', async () => {
    const [without, none] = [await startIssuer(), await startIssuer()];
    without.offered.events = '/events';
    await without.verifier().verify(await without.token(without.withStatus(9)));
    await none.verifier({ credentials }).verify(await none.token(none.withStatus(9)));
    expect([without.asked('/events'), none.asked('/events')]).toEqual([0, 0]);
  });

  test('gives its credentials to nobody but the issuer', async () => {
    const [idp, other] = [await startIssuer(), await startIssuer()];
    idp.offered.events = `${other.issuer}/events`;
    await idp.verifier({ credentials }).verify(await idp.token(idp.withStatus(9)));
    expect(idp.asked(list)).toBe(1);
    expect([idp.asked('/events'), other.requests]).toEqual([0, []]);
  });

  test('keeps the lists fresh as long as it is heard: they are not asked for', async () => {
    const { idp, verifier, mine } = await connected();
    const before = idp.asked(list);
    for (let i = 0; i < 5; i += 1) {
      idp.advance(15);
      await heartbeat(idp, verifier);
      await verifier.verify(mine);
    }
    expect(idp.asked(list)).toBe(before);
  });

  test('is silent for 60 s: the lists are asked for again, whether or not it seems to be there', async () => {
    const { idp, verifier, mine } = await connected();
    const before = idp.asked(list);
    idp.revoke(9);
    idp.advance(60);
    await expect(verifier.verify(mine)).rejects.toMatchObject({ reason: 'revoked' });
    expect(idp.asked(list)).toBe(before + 1);
  });

  test('says reset: all lists are fetched anew at once', async () => {
    const { idp, verifier, mine } = await connected();
    idp.revoke(9);
    idp.push('id: 7\nevent: reset\ndata: {}\n\n');
    await expectRevoked(() => verifier.verify(mine));
  });

  test('comes back after it was lost, where it left off, and fetches the lists anew', async () => {
    const { idp, verifier, mine } = await connected();
    idp.push(`id: 41\nevent: set\ndata: ${await idp.securityEvent(1)}\n\nid: 42\n: no data\n\n`);
    await expectRevoked(async () => verifier.verify(await idp.token(idp.withStatus(1))));
    await idp.stop();
    await verifier.verify(mine); // nothing is older than 60 s
    idp.revoke(9);
    await idp.restart();
    await expectRevoked(() => verifier.verify(mine));
    await expect.poll(() => idp.streams.size, { timeout: 5000 }).toBe(1);
    const sent = idp.requests.filter(({ path }) => path === '/events').map(({ headers }) => headers);
    expect(sent.at(-1)?.['last-event-id']).toBe('42');
  });

  test('is gone: the lists are polled, and too old after 60 s', async () => {
    const { idp, verifier, mine } = await connected();
    await idp.stop();
    await expect.poll(() => verifier.reported.length).toBeGreaterThan(1); // the channel and a list
    idp.advance(59);
    await verifier.verify(mine);
    idp.advance(1);
    await expect(verifier.verify(mine)).rejects.toMatchObject({ reason: 'status_unavailable', status: 503 });
    await idp.restart();
    idp.advance(1);
    await verifier.verify(mine);
  });

  test('keeps a bit set until a list that was made later says otherwise', async () => {
    const { idp, verifier, mine } = await connected();
    idp.push(`id: 1\nevent: set\ndata: ${await idp.securityEvent(9)}\n\n`);
    await expectRevoked(() => verifier.verify(mine));
    const before = idp.asked(list);
    idp.push('event: reset\ndata: {}\n\n'); // a list of the same second may not know of it
    await expect.poll(() => idp.asked(list)).toBe(before + 1);
    await expect(verifier.verify(mine)).rejects.toMatchObject({ reason: 'revoked' });

    idp.advance(2);
    const later = await idp.statusList();
    idp.faults.set(list, (_, res) => res.end(later));
    idp.push('event: reset\ndata: {}\n\n');
    await expect.poll(() => verifier.verify(mine).catch(() => null)).toMatchObject({ sub: 'u1' });
  });

  test('keeps a bit set that a process with a slow clock set: what counts is when it was told', async () => {
    const { idp, verifier, mine } = await connected();
    const events = {
      [sessionRevoked]: { event_timestamp: idp.clock.now - 3600, status_list: { idx: 9, uri: idp.uri } },
    };
    idp.push(`event: set\ndata: ${await idp.securityEvent(9, { events })}\n\n`);
    await expectRevoked(() => verifier.verify(mine));
    idp.revoke(11); // by a process that does not know of the other yet
    const third = await idp.token(idp.withStatus(11));
    idp.push('event: reset\ndata: {}\n\n');
    await expect.poll(() => verifier.verify(third).catch(({ reason }) => reason)).toBe('revoked');
    await expectRevoked(() => verifier.verify(mine));
  });

  test('makes known what it says of a list that no token has named yet', async () => {
    const { idp, verifier } = await connected();
    const uri = `${idp.issuer}/status-lists/2`;
    const event = { event_timestamp: idp.clock.now * 1000, status_list: { idx: 3, uri } };
    idp.push(`event: set\ndata: ${await idp.securityEvent(3, { events: { [sessionRevoked]: event } })}\n\n`);
    const token = await idp.token({ status: { status_list: { idx: 3, uri } } });
    await expectRevoked(() => verifier.verify(token));
  });
});

describe('an event that is not understood counts as a reset, and revokes nothing', () => {
  type Bad = (idp: TestIssuer) => string | Promise<string>;
  const events = (change: object) => ({ events: { [sessionRevoked]: change } });
  const bad: readonly (readonly [string, Bad])[] = [
    ['no JWT', () => 'hello'],
    ['signed by another key', (idp) => idp.securityEvent(9, {}, 'secevent+jwt', 'k9')],
    ['of another type', (idp) => idp.securityEvent(9, {}, 'at+jwt')],
    ['from another issuer', (idp) => idp.securityEvent(9, { iss: 'https://evil.example' })],
    ['about something else', (idp) => idp.securityEvent(9, { events: { other: {} } })],
    ['without events', (idp) => idp.securityEvent(9, { events: 'x' })],
    ['without a time', (idp) => idp.securityEvent(9, events({ status_list: { idx: 9, uri: idp.uri } }))],
    [
      'with a bad index',
      (idp) => idp.securityEvent(9, events({ event_timestamp: 1, status_list: { idx: '9', uri: idp.uri } })),
    ],
  ];
  test.each(bad)('%s', async (_, make) => {
    const { idp, verifier, mine } = await connected();
    const before = idp.asked(list);
    idp.push(`id: 1\nevent: set\ndata: ${await make(idp)}\n\n`);
    await expect.poll(() => idp.asked(list)).toBe(before + 1);
    await verifier.verify(mine);
    expect(verifier.reported.length).toBe(1);
  });
});

describe('a channel that is refused or broken is tried again later', () => {
  test.each([
    ['401', 401, 'text/plain'],
    ['429', 429, 'text/plain'],
    ['500', 500, 'text/plain'],
    ['HTML', 200, 'text/html'],
  ])('%s', async (_, status, type) => {
    const idp = await startIssuer();
    idp.offered.events = '/events';
    idp.faults.set('/events', (_req, res) => res.writeHead(status, { 'content-type': type }).end('no'));
    const verifier = idp.verifier({ credentials });
    const token = await idp.token(idp.withStatus(9));
    await verifier.verify(token);
    await expect.poll(() => verifier.reported.length).toBe(1);
    await verifier.verify(token);
    if (status >= 400 && status < 500) return; // in half a minute
    idp.faults.clear();
    await expect.poll(() => idp.streams.size, { timeout: 3000 }).toBe(1);
  });

  test('an event without an end', async () => {
    const { idp, verifier } = await connected();
    idp.push(`data: ${'x'.repeat(70_000)}`);
    await expect.poll(() => verifier.reported.length).toBe(1);
    await expect.poll(() => idp.asked('/events'), { timeout: 3000 }).toBe(2);
  });
});

test('close() ends the connection', async () => {
  const { idp, verifier } = await connected();
  verifier.close();
  await expect.poll(() => idp.streams.size).toBe(0);
  expect(verifier.reported).toEqual([]);
});

describe('an event stream (HTML Living Standard §9.2.6)', () => {
  test('is the same however it comes in pieces, with any kind of line end', () => {
    const text =
      ': hello\nid: 1\nevent: set\ndata: a\ndata:b\n\nid\ndata\n\nevent: x\n\nid: 2\n\nretry: 9\ndata:  c\n\ndata: lost';
    const expected = [
      { event: 'set', data: 'a\nb', id: '1' },
      { event: 'message', data: '', id: '' },
      { event: '', data: '', id: '2' },
      { event: 'message', data: ' c', id: '2' },
    ];
    fc.assert(
      fc.property(fc.constantFrom('\n', '\r\n', '\r'), fc.array(fc.nat(text.length)), (end, cuts) => {
        const whole = text.replaceAll('\n', end);
        const events: StreamEvent[] = [];
        const feed = createEventParser((event) => events.push(event));
        const at = [0, ...cuts.toSorted((a, b) => a - b), whole.length];
        for (let i = 1; i < at.length; i += 1) feed(whole.slice(at[i - 1], at[i]));
        expect(events).toEqual(expected);
      }),
    );
  });
});

/** An application that has verified two tokens and listens, with its lists fetched since. */
async function connected() {
  const idp = await startIssuer();
  idp.offered.events = '/events';
  const verifier = idp.verifier({ credentials });
  const [mine, other] = [await idp.token(idp.withStatus(9)), await idp.token(idp.withStatus(10))];
  await verifier.verify(mine);
  await verifier.verify(other);
  await expect.poll(() => idp.streams.size).toBe(1);
  await heartbeat(idp, verifier);
  return { idp, verifier, mine, other };
}

/** Sends a comment, and an event after it that is seen to arrive: what came before it has arrived, too. */
async function heartbeat(idp: TestIssuer, verifier: ReturnType<TestIssuer['verifier']>): Promise<void> {
  const idx = 500 + (idp.clock.now % 500);
  idp.push(`: beat\n\nevent: set\ndata: ${await idp.securityEvent(idx)}\n\n`);
  const token = await idp.token(idp.withStatus(idx));
  await expectRevoked(() => verifier.verify(token));
}

async function expectRevoked(verify: () => Promise<unknown>): Promise<void> {
  await expect
    .poll(() => verify().catch((error) => error), { timeout: 10_000, interval: 20 })
    .toMatchObject({ reason: 'revoked' });
}
