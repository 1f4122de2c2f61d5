/** How a scheduler's process is started. */
export interface SchedulerSettings {
  readonly redis: string;
  readonly queue: string;
  /** How far its clock is from the true time, in milliseconds. */
  readonly clockOff: number;
  readonly specs: readonly string[];
}

/** What the process tells once it runs. */
export interface FromScheduler {
  readonly kind: 'ready' | 'usage';
  /** Milliseconds that registering and starting took. */
  readonly startMs: number;
  /** Processor time used so far. */
  readonly cpuMicros: number;
}
