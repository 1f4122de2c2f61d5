import { type EpochMs, ms } from '../time/duration.js';

/** A tick this much older than the latest one of its schedule counts as used, whether it was or not. */
export const tickMemory = ms(600_000);

/** A registered schedule as others see it (P-108). */
export interface PublishedSchedule {
  readonly id: string;
  /** The cron expression as it was registered. */
  readonly spec: string;
  readonly taskType: string;
  readonly taskPayload: Uint8Array;
  /** Enqueue options in text form, `Name(argument)`; see `encodeOptions` (P-17). */
  readonly options: readonly string[];
  /** `undefined`: it never fires again. */
  readonly nextEnqueueAt: EpochMs | undefined;
  /** `undefined`: it has never fired. */
  readonly previousEnqueueAt: EpochMs | undefined;
}

/** One firing of a schedule (P-109). */
export interface ScheduleEvent {
  readonly taskId: string;
  readonly enqueuedAt: EpochMs;
}
