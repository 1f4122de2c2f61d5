import { AsynqError } from './asynq-error.js';
import { showValue } from './option-errors.js';

/** The scheduler has no schedule with this id. */
export class ScheduleNotFoundError extends AsynqError {
  readonly code = 'ASYNQ_SCHEDULE_NOT_FOUND';

  constructor(
    readonly id: string,
    options?: ErrorOptions,
  ) {
    super(
      `There is no schedule ${showValue(id)}: it was never registered with this scheduler, or was removed`,
      options,
    );
  }
}

/**
 * The scheduler already has a schedule with this id, given or derived from the same content; nothing was registered.
 */
export class ScheduleConflictError extends AsynqError {
  readonly code = 'ASYNQ_SCHEDULE_CONFLICT';

  constructor(
    readonly id: string,
    readonly spec: string,
    options?: ErrorOptions,
  ) {
    super(
      `Schedule ${showValue(spec)} is already registered as ${showValue(id)}; give it its own id if both should fire`,
      options,
    );
  }
}
