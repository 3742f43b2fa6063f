/**
 * Recovery codes on their way to the page that shows them: only their MACs are stored, so they travel sealed in the address after the
 * POST that made them, for one session and ten minutes.
 */
import type { KeyRing } from '../keys/keys.js';

const lives_seconds = 600;

interface Sealed {
  readonly codes: readonly string[];
  readonly expires_at: number;
}

export function sealCodes(ring: KeyRing, session_id: string, codes: readonly string[], now: number): string {
  const sealed: Sealed = { codes, expires_at: now + lives_seconds };
  return ring.seal('seal', Buffer.from(JSON.stringify(sealed)), contextOf(session_id));
}

/** Null for what is none of ours, for another session, or too old. */
export function openCodes(
  ring: KeyRing,
  session_id: string,
  text: string,
  now: number,
): readonly string[] | null {
  const plain = ring.open('seal', text, contextOf(session_id));
  if (plain === undefined) return null;
  const { codes, expires_at }: Sealed = JSON.parse(plain.toString()); // sealCodes wrote it
  return now < expires_at ? codes : null;
}

function contextOf(session_id: string): string {
  return `recovery codes ${session_id}`;
}
