/** People who come by another provider: the whole way, there and back, as their browser takes it. */
import * as federatedIdentities from '../../src/store/federated_identities.js';
import type * as sessions from '../../src/store/sessions.js';
import { statement } from '../../src/store/statement.js';
import { type Browser, formOf, type Page } from './browser.js';
import { authorizeUrl } from './flow.js';
import { startUpstream, visitUpstream } from './identity_provider.js';
import { type IdpOptions, startIdp, type TestIdp } from './idp.js';

export type World = Awaited<ReturnType<typeof startWorld>>;

/** This server with one person and one application, and another one as its provider `elsewhere`, which has a person as well. */
export async function startWorld(
  options: NonNullable<Parameters<typeof startUpstream>[1]> & { readonly here?: IdpOptions } = {},
) {
  const { here: hereOptions, ...rest } = options;
  const here = await startIdp(hereOptions);
  const ada = await here.addUser();
  await here.addClient({}, 'shop');
  const upstream = await startUpstream(here, rest);
  const both = { here, ada, ...upstream };
  return {
    ...both,
    /** A browser, as each of the two knows it. */
    browsers: () => ({ browser: here.browser(), other: upstream.there.browser() }),
    /** Presses the provider's button on a login page; the address that the browser is sent to there. */
    press: (browser: Browser, path?: string) => press(browser, path),
    /** Presses it, signs in there and comes back; the page that follows here. */
    arrive: (browser = here.browser(), other = upstream.there.browser(), path?: string) =>
      arrive(browser, other, path),
  };
}

export async function press(browser: Browser, path = '/login', provider = 'elsewhere'): Promise<string> {
  const { action, hidden } = formOf((await browser.get(path)).html);
  const page = await browser.post(action, { ...hidden, provider });
  if (page.status !== 303) throw new Error(`not sent anywhere: ${page.html}`);
  return page.headers.get('location') ?? '';
}

export async function arrive(browser: Browser, other: Browser, path?: string): Promise<Page> {
  return browser.get(await visitUpstream(other, await press(browser, path)));
}

/** Signs somebody in to the application by the provider. */
export const byShop = authorizeUrl('shop');

/** Both servers' clocks. */
export function advanceBoth({ here, there }: { here: TestIdp; there: TestIdp }, seconds: number): void {
  here.advance(seconds);
  there.advance(seconds);
}

const liveSessions = statement<object, sessions.SessionRow>((sql) => sql('sessions').orderBy('created_at'));

/** The sessions there are here, in the order in which they began. */
export const sessionsOf = ({ here }: Pick<World, 'here'>) => here.db.all(liveSessions, {});

/** Ada's account here is connected with hers there. */
async function link({ here, person }: World, user_id: string): Promise<void> {
  await federatedIdentities.insert(here.db, {
    ...{ id: 'i1', provider_id: 'elsewhere', subject: person.id, user_id, label: 'ada@elsewhere.example' },
    ...{ created_at: here.now(), last_used_at: here.now() },
  });
}

/** Where that is so from the beginning. */
export async function startLinked(options: Parameters<typeof startWorld>[0] = {}) {
  const world = await startWorld(options);
  await link(world, world.ada.id);
  return world;
}
