import { AsynqError } from './asynq-error.js';

/** An option has a value that is not allowed, or no option has that name. Nothing was started or written. */
export class InvalidOptionError extends AsynqError {
  readonly code = 'ASYNQ_INVALID_OPTION';
  /** The path of the option: `AsynqModule: server.queues.critical`. */
  readonly path: string;
  /** The given value. */
  readonly value: unknown;
  /** A description of the allowed values. */
  readonly allowed: string;

  constructor(
    fault: {
      readonly path: string;
      readonly value: unknown;
      readonly allowed: string;
      /** Replaces the message "<path> must be <allowed>, got <value>". */
      readonly message?: string;
    },
    options?: ErrorOptions,
  ) {
    super(fault.message ?? `${fault.path} must be ${fault.allowed}, got ${showValue(fault.value)}`, options);
    this.path = fault.path;
    this.value = fault.value;
    this.allowed = fault.allowed;
  }
}

/** Formats a value for an error message: short, on one line, without ever throwing. */
export function showValue(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (typeof value === 'function') return `function ${value.name || '(anonymous)'}`;
  if (typeof value === 'bigint') return `${value}n`;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'an invalid Date' : value.toISOString();
  if (typeof value !== 'object' || value === null) return String(value);
  try {
    const json = JSON.stringify(value);
    return json.length > 60 ? `${json.slice(0, 60)}…` : json;
  } catch {
    return Object.prototype.toString.call(value);
  }
}
