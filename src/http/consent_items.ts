/** What an application may see and do, in the words of the consent page. OpenID Connect Core §3.1.2.4. */
import { claimName, claimSets } from '../claims/index.js';
import type { Text, Words } from '../languages/translate.js';

interface ConsentItem {
  readonly title: Text;
  /** Scopes of APIs are told by their names. */
  readonly details: readonly (Text | Words)[];
}

/** Words of an approval, as the page tells them. Everything that is approved is told. */
export function consentItems(
  words: readonly string[],
  resources: ReadonlyMap<string, readonly string[]>,
): readonly ConsentItem[] {
  const named = words
    .filter((word) => word.startsWith('claim:'))
    .map((word) => claimName(word.slice('claim:'.length)));
  const asked = words
    .filter((word) => word.startsWith('resource:') && !word.includes('#')) // what a scope allows there is told by its name
    .map((word) => word.slice('resource:'.length));
  const ofScopes = claimSets.filter((set) => words.includes(set.scope)).map((set) => set.consent);
  const told = new Set(['sign_in', 'openid', 'offline_access', ...claimSets.map((set) => set.scope)]);
  const others = words.filter((word) => !told.has(word) && !/^(claim|resource):/.test(word));
  const ofResources = asked.map((uri) => ({
    title: { key: 'consent.acting_at', values: { resource: uri } } as const,
    details: others.filter((word) => resources.get(uri)?.includes(word)).map((words) => ({ words })),
  }));
  const rest = others.filter((word) => !asked.some((uri) => resources.get(uri)?.includes(word)));
  return [
    { title: 'consent.signed_in', details: ['consent.signed_in_detail'] },
    ...ofScopes,
    ...(named.length > 0 ? [{ title: 'consent.single_claims', details: named } as const] : []),
    ...ofResources,
    ...(rest.length > 0
      ? [{ title: 'consent.permissions', details: rest.map((scope) => ({ words: scope })) } as const]
      : []),
    ...(words.includes('offline_access')
      ? [{ title: 'consent.offline', details: ['consent.offline_detail'] } as const]
      : []),
  ];
}
