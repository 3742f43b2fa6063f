/** The `status` claim: where a token's status is to be looked up. IETF Token Status List §6.2. */
import type { StatusIndex } from '../store/status_lists.js';

/** The address of a list. */
export function statusListUri(issuer: string, status_list: string): string {
  return `${issuer}/status-lists/${status_list}`;
}

/** The claim for a token; none where there is no index. */
export function statusClaim(issuer: string, index: StatusIndex | null): object {
  if (index === null) return {};
  const uri = statusListUri(issuer, index.status_list);
  return { status: { status_list: { idx: index.status_index, uri } } };
}

/** The index that such a claim of ours names; null if there is none. */
export function readStatus(issuer: string, status: unknown): StatusIndex | null {
  if (status === undefined) return null;
  const { idx, uri } = (status as { status_list: { idx: number; uri: string } }).status_list; // written by statusClaim
  return { status_list: uri.slice(statusListUri(issuer, '').length), status_index: idx };
}

/** The index of a row that has one. */
export function statusOf(row: {
  readonly status_list: string | null;
  readonly status_index: number | null;
}): StatusIndex | null {
  const { status_list, status_index } = row;
  return status_list === null || status_index === null ? null : { status_list, status_index };
}

/** Whether a token still has the status that its authorization, or its client, has now. A token without one has been checked otherwise. */
export function isCurrent(token: StatusIndex | null, row: Parameters<typeof statusOf>[0]): boolean {
  const current = statusOf(row);
  return (
    token === null ||
    (token.status_list === current?.status_list && token.status_index === current.status_index)
  );
}
