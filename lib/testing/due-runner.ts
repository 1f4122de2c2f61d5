import { EndlessDrainError, HandlerRunsOnError } from '../model/errors/test-errors.js';
import type { Clock } from '../model/time/clock.js';
import { type EpochMs, epochMs, ms, type Ms } from '../model/time/duration.js';
import { pause, startLimit } from '../model/time/wait.js';
import type { DequeueWindow } from './dequeue-window.js';
import type { ManualBackgroundTimers } from './manual-background-timers.js';
import type { ActiveRuns } from './active-runs.js';
import type { StoredTasks } from './stored-tasks.js';
import { eventLoopTurns, type VirtualClock } from './virtual-clock.js';

export interface DueRunnerDeps {
  readonly clock: VirtualClock;
  /** Handlers work in real time, whatever clock the tasks live by. */
  readonly realClock: Clock;
  readonly backgroundTimers: ManualBackgroundTimers;
  readonly window: DequeueWindow;
  readonly runs: ActiveRuns;
  readonly stored: Pick<StoredTasks, 'nextEnd'>;
  /** Real time that a moving clock leaves to handlers before it goes on without them. */
  readonly maxHandlerWait: Ms;
}

/** How a handler that does not end is dealt with: time goes on without it, or the test fails. */
type Waiting = 'until-wait-ends' | 'until-handlers-end';

/** Real time after which a handler that is waited for counts as hanging. */
const maxRunTime = ms(4_000);
/** Turns of the event loop in which everything that waits for nothing has ended. */
const quietTurns = 4;
const quickLooks = 20;

/** Runs what is due at this instant of the virtual clock, and moves the clock from one such instant to the next. */
export class DueRunner {
  constructor(private readonly deps: DueRunnerDeps) {}

  /**
   * Runs everything that is due now, and what becomes due by that.
   *
   * @throws EndlessDrainError after more than `limit` runs. HandlerRunsOnError when a handler does not end.
   */
  async runDue(limit: number): Promise<void> {
    await this.#runDue({ limit, waiting: 'until-handlers-end' });
  }

  /** Moves the clock to `target`, stopping wherever something is due. @throws EndlessDrainError. */
  async advanceTo(target: EpochMs, limit: number): Promise<void> {
    const { clock } = this.deps;
    const waiting = 'until-wait-ends';
    await this.#runDue({ limit, waiting });
    for (let next = this.#nextInstant(); next !== undefined && next <= target; next = this.#nextInstant()) {
      clock.moveTo(next);
      await this.#runDue({ limit, waiting });
    }
    if (clock.now() >= target) return;
    clock.moveTo(target);
    await this.#runDue({ limit, waiting });
  }

  async #runDue({ limit, waiting }: { readonly limit: number; readonly waiting: Waiting }): Promise<void> {
    const { window, backgroundTimers } = this.deps;
    window.open(limit);
    try {
      let before: number;
      do {
        before = window.progress;
        backgroundTimers.runAll();
        window.wakeAll();
        await this.#settled(waiting);
        if (window.isExhausted) throw new EndlessDrainError(limit, window.begun);
      } while (window.progress !== before);
    } finally {
      window.close();
    }
  }

  /** Resolves when nothing is under way that does not wait for time to pass. */
  async #settled(waiting: Waiting): Promise<void> {
    const { window, runs, maxHandlerWait } = this.deps;
    await eventLoopTurns(quietTurns);
    while (window.calls > 0 || runs.awaited.length > 0) {
      const before = window.progress;
      const limit = waiting === 'until-handlers-end' ? maxRunTime : maxHandlerWait;
      if (runs.awaited.length > 0 && !(await this.#progressed(before, limit))) {
        if (waiting === 'until-handlers-end')
          throw new HandlerRunsOnError(
            runs.awaited.map(({ message }) => ({ type: message.type, id: message.id })),
            maxRunTime,
          );
        for (const run of runs.awaited) run.isParked = true;
      }
      await eventLoopTurns(quietTurns);
    }
  }

  /** Whether something is stored within `limit` of real time, or no handler is waited for any more. */
  async #progressed(before: number, limit: Ms): Promise<boolean> {
    const { window, runs, realClock } = this.deps;
    const limited = { isOver: false };
    const timer = startLimit(realClock, limit, () => {
      limited.isOver = true;
    });
    try {
      for (let look = 0; !limited.isOver && window.progress === before && runs.awaited.length > 0; look += 1) {
        // Most handlers end at once; for the others the processor is left to them.
        await (look < quickLooks ? eventLoopTurns(1) : pause(ms(1), { clock: realClock }));
      }
      return !limited.isOver;
    } finally {
      timer.cancel();
    }
  }

  /** The next instant at which something is to be done: a timer of the engine's, or the end of something stored. */
  #nextInstant(): EpochMs | undefined {
    const { clock, stored } = this.deps;
    const timer = clock.nextTimerAt;
    const end = stored.nextEnd(clock.now());
    if (timer === undefined || end === undefined) return timer ?? end;
    return epochMs(Math.min(timer, end));
  }
}
