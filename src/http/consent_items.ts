/** What an application may see and do, in the words of the consent page. OpenID Connect Core §3.1.2.4. */
import { claimSets } from '../claims/index.js';

interface ConsentItem {
  readonly title: string;
  readonly details: readonly string[];
}

/** Words of an approval, as the page tells them. Everything that is approved is told. */
export function consentItems(
  words: readonly string[],
  resources: ReadonlyMap<string, readonly string[]>,
): readonly ConsentItem[] {
  const named = words
    .filter((word) => word.startsWith('claim:'))
    .map((word) => word.slice('claim:'.length).replaceAll('_', ' '));
  const asked = words
    .filter((word) => word.startsWith('resource:') && !word.includes('#')) // what a scope allows there is told by its name
    .map((word) => word.slice('resource:'.length));
  const ofScopes = claimSets.filter((set) => words.includes(set.scope)).map((set) => set.consent);
  const told = new Set(['sign_in', 'openid', 'offline_access', ...claimSets.map((set) => set.scope)]);
  const others = words.filter((word) => !told.has(word) && !/^(claim|resource):/.test(word));
  const ofResources = asked.map((uri) => ({
    title: `Acting for you at ${uri}`,
    details: others.filter((word) => resources.get(uri)?.includes(word)),
  }));
  const rest = others.filter((word) => !asked.some((uri) => resources.get(uri)?.includes(word)));
  return [
    { title: 'That you signed in', details: ['An identifier for your account, and when you signed in'] },
    ...ofScopes,
    ...(named.length > 0 ? [{ title: 'Single details of your profile', details: named }] : []),
    ...ofResources,
    ...(rest.length > 0 ? [{ title: 'Permissions', details: rest }] : []),
    ...(words.includes('offline_access')
      ? [
          {
            title: 'Access while you are away',
            details: ['Until you withdraw it, also after you signed out'],
          },
        ]
      : []),
  ];
}
