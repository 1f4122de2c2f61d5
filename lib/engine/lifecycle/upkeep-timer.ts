import type { Clock, Timer } from '../../model/time/clock.js';
import type { Ms } from '../../model/time/duration.js';

/** Sets a timer for what is done just in case; where the clock has somebody for that it is left to them. */
export function setUpkeepTimer(
  clock: Pick<Clock, 'setTimer' | 'upkeep'>,
  { delay, run }: { readonly delay: Ms; readonly run: () => void },
): Timer {
  return clock.upkeep === undefined ? clock.setTimer(delay, run) : clock.upkeep.add(run);
}
