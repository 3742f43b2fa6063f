/**
 * Refresh tokens: `id.generation.secret.mac`. The MAC is checked before anything is looked up, so nobody can end a family with
 * rubbish. The successor is kept sealed under a key that only the replaced token gives. Decisions 8; RFC 9700 §4.14.
 */
import type { KeyRing } from '../keys/keys.js';
import { decrypt, derive, encrypt, newSecret } from '../secrets.js';

export interface ParsedRefreshToken {
  readonly id: string;
  readonly generation: number;
}

const shape = /^([A-Za-z0-9_-]{22})\.([1-9][0-9]{0,15})\.([A-Za-z0-9_-]{43})\.([A-Za-z0-9_-]{43})$/;

export function newRefreshToken(ring: KeyRing, id: string, generation: number): string {
  const body = `${id}.${generation}.${newSecret()}`;
  return `${body}.${ring.mac('refresh', body)}`;
}

/** The family and generation of a token that this server made. Undefined for anything else. */
export function parseRefreshToken(ring: KeyRing, token: string): ParsedRefreshToken | undefined {
  const parts = shape.exec(token);
  if (parts === null) return undefined;
  const [, id = '', generation = '', secret = '', mac = ''] = parts;
  if (!ring.isMac('refresh', `${id}.${generation}.${secret}`, mac)) return undefined;
  return { id, generation: Number(generation) };
}

/** Seals a successor so that only who holds the token it replaces can open it. */
export function sealSuccessor(replaced: string, successor: string): string {
  return encrypt(derive(replaced, 'refresh token successor'), Buffer.from(successor), 'refresh_tokens');
}

/** The successor, if `replaced` is the very token it was sealed for. */
export function openSuccessor(replaced: string, sealed: string): string | undefined {
  return decrypt(derive(replaced, 'refresh token successor'), sealed, 'refresh_tokens')?.toString();
}
