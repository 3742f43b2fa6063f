/** The ways to prove a second factor, each as a proof for `proveFactor` (actions/sign_in.ts). */
import type { Config } from '../config.js';
import * as emailCode from '../factors/email_code.js';
import * as recoveryCode from '../factors/recovery_code.js';
import * as totp from '../factors/totp.js';
import type { KeyRing } from '../keys/keys.js';
import { notifyUser } from '../mail/queue.js';
import * as credentials from '../store/credentials.js';
import type { Queryable } from '../store/db.js';
import * as events from '../store/events.js';
import * as secondFactors from '../store/second_factors.js';
import * as users from '../store/users.js';
import { type ProvedPasskey, settlePasskey } from './passkey_proof.js';
import type { FactorProof } from './sign_in.js';

/** Those by something that is typed, which the person has already. */
export const typedWays = ['totp', 'recovery_code'] as const;
export type TypedWay = (typeof typedWays)[number];

/** In the order in which they are offered. */
const ways = ['passkey', ...typedWays, 'email_code'] as const;
export type Way = (typeof ways)[number];

/** What each proves, at the least. RFC 8176. */
export const wayAmr: Readonly<Record<Way, readonly string[]>> = {
  passkey: ['pop', 'user'],
  totp: totp.amr,
  recovery_code: recoveryCode.amr,
  email_code: emailCode.amr,
};

/** The ways that are open to a person. A code by mail never beside another one. */
export async function waysOf(
  { db, config }: { readonly db: Queryable; readonly config: emailCode.EmailCodeConfig },
  user_id: string,
): Promise<readonly Way[]> {
  if (await emailCode.countsAsFactor(db, config, user_id)) return ['email_code'];
  const factors = await secondFactors.list(db, user_id);
  const codes = await credentials.list(db, user_id, 'recovery_code');
  const has = (wanted: secondFactors.SecondFactor['type']) => factors.some(({ type }) => type === wanted);
  const open = {
    passkey: has('passkey'),
    totp: has('totp'),
    recovery_code: codes.length > 0,
    email_code: false,
  };
  return factors.length === 0 ? [] : ways.filter((way) => open[way]);
}

interface ProofContext {
  readonly ring: KeyRing;
  readonly config: Pick<Config, 'DEFAULT_LANGUAGE' | 'mail' | 'EVENTS_SECONDS'>;
  /** Where it is typed. */
  readonly visit: events.Visit;
  readonly now: number;
}

/** A code of a way, as it was typed. */
export function typedProof(
  way: TypedWay,
  code: string,
  { ring, config, visit, now }: ProofContext,
): FactorProof {
  if (way === 'totp') {
    return {
      counted: 'account',
      async verify(trx, { user_id }) {
        return (await totp.verifyTotp(trx, ring, { user_id, code }, now)) ? totp.amr : null;
      },
    };
  }
  return {
    counted: 'sign_in',
    async verify(trx, { user_id }) {
      if (!(await recoveryCode.useRecoveryCode(trx, ring, { user_id, code }))) return null;
      const { user_agent, address } = visit;
      const from = { user_agent, address };
      const event = { type: 'recovery_code_used', user_id, visit: from } as const;
      await events.record(trx, event, now, config.EVENTS_SECONDS);
      const message = { name: 'recovery_code_used', from } as const;
      await notifyUser(trx, { config, ring }, { user_id, message }, now);
      return recoveryCode.amr;
    },
  };
}

/** A code that was sent by mail, as it was typed. Whoever set up a stronger factor meanwhile is not let in by it. */
export function emailCodeProof(
  code: string,
  { ring, config, now }: Pick<ProofContext, 'ring' | 'now'> & { readonly config: emailCode.EmailCodeConfig },
): FactorProof {
  return {
    counted: 'account',
    async verify(trx, sign_in) {
      const owner = await users.find(trx, sign_in.user_id);
      const counts = owner !== undefined && (await emailCode.countsAsFactor(trx, config, owner.id));
      return counts && (await emailCode.useEmailCode(trx, ring, { sign_in, owner, code }, now))
        ? emailCode.amr
        : null;
    },
  };
}

/** A passkey that was right when it was checked (actions/passkey_proof.ts). It says why, where it does not count after all. */
export function passkeyProof(
  config: Pick<Config, 'EVENTS_SECONDS'>,
  proved: ProvedPasskey,
  now: number,
): FactorProof {
  return {
    counted: 'nowhere',
    async verify(trx) {
      return (await settlePasskey(trx, config, proved, now)) ?? proved.amr;
    },
  };
}
