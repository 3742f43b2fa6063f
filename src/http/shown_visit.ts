/** A browser as its owner is shown it: names that are known, the address, and roughly where that is. */
import type { Deps } from '../deps.js';
import { type DeviceNames, deviceNames } from '../devices/user_agent.js';
import type { Visit } from '../store/events.js';

export interface ShownVisit extends DeviceNames {
  /** '' where it is not known. */
  readonly address: string;
  /** Null without a database of places, and where it knows nothing. */
  readonly place: string | null;
}

/** `language`: that of the page. */
export async function shownVisit(
  { places }: Pick<Deps, 'places'>,
  { user_agent, address }: Visit,
  language: string,
): Promise<ShownVisit> {
  return { ...deviceNames(user_agent), address, place: await places.find(address, language) };
}
