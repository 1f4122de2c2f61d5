import { describeError, nameOfError, stackOfError } from '../../model/retry/describe-error.js';
import type { TaskMessage } from '../../model/task/task-message.js';
import type { ThrottledLogger } from '../lifecycle/throttled-logger.js';
import type { FailureSettlement } from '../outcome/failure.js';

/** The level at which a kind of failed run is logged. */
export type FailureLogLevel = 'debug' | 'info' | 'warn' | 'error' | 'off';

/** The levels at which failed runs are logged; equal failures of a type within 30 s are one line with a count. */
export interface FailureLogs {
  /** The first failure of a task, with the error's stack. Default `'warn'`. */
  readonly first?: FailureLogLevel | undefined;
  /** Every further failure, in one line. Default `'warn'`. */
  readonly retry?: FailureLogLevel | undefined;
  /** The last failure, with the error's stack: the task is archived. Default `'error'`. */
  readonly archived?: FailureLogLevel | undefined;
}

/** {@link FailureLogs}, checked and complete. */
export type FailureLogLevels = Readonly<Record<keyof FailureLogs, FailureLogLevel>>;

export interface FailureLogDeps {
  readonly logger: ThrottledLogger;
  readonly levels: FailureLogLevels;
}

/**
 * Logs failed runs: a task's first and last failure with the stack of the error, the retries in between in one line.
 * Equal failures of a type are one line with a count, whatever ids their messages name.
 */
export class FailureLog {
  constructor(private readonly deps: FailureLogDeps) {}

  /** Logs a failed run; `before` is the task as it was when it ran. */
  failed(
    error: unknown,
    { before, settlement }: { readonly before: TaskMessage; readonly settlement: FailureSettlement },
  ): void {
    const { levels } = this.deps;
    const { id, type, retried, maxRetry, errorMessage } = settlement.message;
    const subject = `Task "${id}" of type "${type}"`;
    switch (settlement.kind) {
      case 'archive':
        return this.#log(levels.archived, {
          error,
          type,
          what: 'archived',
          text: `${subject} failed and is archived: ${withStack(error, errorMessage)}`,
        });
      case 'retry': {
        const next = `retry ${retried} of ${maxRetry} follows`;
        if (before.lastFailedAtSeconds === 0) {
          const text = `${subject} failed, ${next}: ${withStack(error, errorMessage)}`;
          return this.#log(levels.first, { error, type, what: 'failed', text });
        }
        return this.#log(levels.retry, {
          error,
          type,
          what: 'failed again',
          text: `${subject} failed again, ${next}: ${errorMessage}`,
        });
      }
      case 'done':
        return this.#log('warn', {
          error,
          type,
          what: 'revoked',
          text: `${subject} was revoked by its handler: ${describeError(error)}`,
        });
      case 'snooze':
      case 'delete':
        return;
    }
  }

  #log(
    level: FailureLogLevel,
    line: { readonly error: unknown; readonly type: string; readonly what: string; readonly text: string },
  ): void {
    if (level === 'off') return;
    this.deps.logger[level](line.text, { kind: `${line.what} ${line.type} ${siteOf(line.error)}` });
  }
}

/** Returns the stored message with the stack of the error. */
function withStack(error: unknown, message: string): string {
  const stack = stackOfError(error);
  return stack === undefined ? message : `${message}\n${stack}`;
}

/** Identifies an error without its message, which may contain ids: its class, and where it was created. */
function siteOf(error: unknown): string {
  const frame = stackOfError(error)
    ?.split('\n')
    .find((line) => /^\s+at /.test(line));
  return `${nameOfError(error)} ${frame?.trim() ?? ''}`;
}
