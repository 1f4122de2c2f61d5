import { AsynqError } from './asynq-error.js';

/** A cron spec cannot be parsed. Nothing was registered. */
export class CronSpecError extends AsynqError {
  readonly code = 'ASYNQ_INVALID_CRON_SPEC';
  /** The spec as given. */
  readonly spec: string;
  /** Where the error begins: the column in `spec`; the first column is 1. */
  readonly position: number;
  /** A description of the error. */
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
