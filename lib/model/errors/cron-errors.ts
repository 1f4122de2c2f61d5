import { AsynqError } from './asynq-error.js';

/** A cron spec does not say when to fire. Nothing was registered. */
export class CronSpecError extends AsynqError {
  readonly code = 'ASYNQ_INVALID_CRON_SPEC';
  /** The spec as it was given. */
  readonly spec: string;
  /** Where the fault begins: the column in `spec`, the first one being 1. */
  readonly position: number;
  /** What is wrong there, in words. */
  readonly reason: string;

  constructor(
    fault: { readonly spec: string; readonly position: number; readonly reason: string },
    options?: ErrorOptions,
  ) {
    super(`Cron spec ${JSON.stringify(fault.spec)}: ${fault.reason}, at column ${fault.position}`, options);
    this.spec = fault.spec;
    this.position = fault.position;
    this.reason = fault.reason;
  }
}
