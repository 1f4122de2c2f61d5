import { DeadlineExceededError } from '../../model/errors/task-errors.js';
import { isUnlimited, runDeadline } from '../../model/task/run-deadline.js';
import type { EpochMs } from '../../model/time/duration.js';
import type { EngineEventEmitter } from '../engine-events.js';
import type { ThrottledLogger } from '../lifecycle/throttled-logger.js';
import type { Handler } from '../middleware.js';
import { subjectOf } from '../outcome/event-task.js';
import type { HandlerLookup } from './handler-lookup.js';
import type { Run } from './run.js';
import type { RunStopper } from './run-stopper.js';

export interface RunStarterDeps {
  readonly lookup: HandlerLookup;
  readonly stopper: Pick<RunStopper, 'watch'>;
  readonly events: EngineEventEmitter;
  readonly logger: ThrottledLogger;
}

/** Calls the handlers of fetched tasks, or ends their runs at once when there is nothing to call. */
export class RunStarter {
  constructor(private readonly deps: RunStarterDeps) {}

  begin(run: Run, now: EpochMs): void {
    const { phase } = run.state;
    if (phase === 'aborted') return run.fail(undefined);
    if (phase !== 'fetched') return;
    const { message } = run;
    const { lookup, stopper, events, logger } = this.deps;
    let handler: Handler | undefined;
    try {
      handler = lookup(message.type);
    } catch (error) {
      // A middleware of the user failed when it wrapped the handler.
      return run.fail(error);
    }
    if (handler === undefined) return run.returnUnknown();
    if (isUnlimited(message)) {
      const text = `Tasks of type "${message.type}" have neither a timeout nor a deadline; 30 minutes are assumed`;
      logger.error(text, { kind: `no limit ${message.type}` });
    }
    const deadlineAt = runDeadline(message, now);
    if (deadlineAt <= now) {
      // No retry could meet the deadline.
      run.abort(new DeadlineExceededError(), { graceEnd: now, canceled: 'archive' });
      return run.fail(undefined);
    }
    stopper.watch(deadlineAt);
    if (events.has('started')) events.emit('started', { task: subjectOf(run) });
    run.start(handler, { now, deadlineAt, measured: events.has('completed') });
  }
}
