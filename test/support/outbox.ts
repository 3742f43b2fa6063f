/** Somebody who is signed in to an application that is told of sign-outs, and what the outbox holds for it. */
import { onTestFinished, vi } from 'vitest';
import { signOut } from '../../src/actions/sessions.js';
import type { Deps } from '../../src/deps.js';
import { type Sender, startSender } from '../../src/jobs/outbox.js';
import type { OutboxRow } from '../../src/store/outbox.js';
import { listByUser, type SessionRow } from '../../src/store/sessions.js';
import { statement } from '../../src/store/statement.js';
import type { engines } from './database.js';
import { getCode } from './flow.js';
import type { TestIdp } from './idp.js';
import { type Reply, startReceiver } from './receiver.js';
import { startShop } from './shop.js';

const everyRow = statement<object, OutboxRow>((sql) => sql('outbox').orderBy('id'));

/** Only the test makes it look: nothing is sent by the tick. */
export function senderOf(deps: Deps): Sender {
  const sender = startSender(deps);
  onTestFinished(() => sender.stop());
  return sender;
}

/** Somebody who is signed in to an application that wants to be told, and the sender of this process. */
export async function startTold(engine: (typeof engines)[number] = 'sqlite', reply: Reply = 200) {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  const receiver = await startReceiver(reply);
  const shop = await startShop({ engine, metadata: { backchannel_logout_uri: receiver.url } });
  const tokens = await shop.tokens();
  const { idp, user } = shop;
  const session = async () => (await listByUser(idp.db, user.id, idp.now()))[0] as SessionRow; // signed in above
  return {
    ...shop,
    receiver,
    tokens,
    end: async () => signOut(idp.deps, await session(), idp.now()),
    rows: () => idp.db.all(everyRow, {}),
  };
}

/** The same person signs in to the application in another browser. */
export function signInElsewhere(idp: TestIdp): Promise<string> {
  return getCode(idp.browser(), 'shop');
}
