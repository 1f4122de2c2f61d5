import type { EngineEventEmitter, TaskSubject } from '../engine/engine-events.js';
import type { Clock } from '../model/time/clock.js';
import type { EpochMs } from '../model/time/duration.js';

/** A run of a task that has ended. */
export interface TaskRun {
  readonly id: string;
  readonly type: string;
  readonly queue: string;
  /** Counted failures, including this one. */
  readonly retried: number;
  /**
   * `returned`: no handler for the type. `requeued`: the server stopped first. `lost`: another worker had the lease
   * when the run ended. `crashed`: the worker died before its outcome was written.
   */
  readonly outcome:
    'completed' | 'retry' | 'archived' | 'revoked' | 'snoozed' | 'returned' | 'requeued' | 'lost' | 'crashed';
  /** What the handler threw, if it did. */
  readonly error: unknown;
  /** When the outcome was written. */
  readonly at: Date;
  /** When the task runs again; only after `retry` and `snoozed`. */
  readonly nextProcessAt: Date | undefined;
}

export interface TaskRunsDeps {
  readonly clock: Clock;
  /** Whether the worker of a task's last run is dead. */
  readonly isOrphan: (queue: string, id: string) => boolean;
  /** Called when a run no longer counts. */
  readonly onLost: (queue: string, id: string) => void;
}

/** The runs of an application, in the order in which they ended. */
export class TaskRuns {
  #runs: TaskRun[] = [];

  constructor(private readonly deps: TaskRunsDeps) {}

  /** Hears of the runs of a server. */
  listenTo(events: EngineEventEmitter): void {
    const note = (task: TaskSubject, run: Partial<TaskRun> & Pick<TaskRun, 'outcome'>): void => {
      const { id, type, queue, retried } = task;
      const at = new Date(this.deps.clock.now());
      this.#runs.push({ id, type, queue, retried, error: undefined, nextProcessAt: undefined, at, ...run });
    };
    const dateOf = (instant: EpochMs): Date => new Date(instant);
    events.on('completed', ({ task }) => note(task, { outcome: 'completed' }));
    events.on('retry', ({ task, error, retryAt }) =>
      note(task, { outcome: 'retry', error, nextProcessAt: dateOf(retryAt) }),
    );
    events.on('archived', ({ task, error }) => note(task, { outcome: 'archived', error }));
    events.on('revoked', ({ task, error }) => note(task, { outcome: 'revoked', error }));
    events.on('snoozed', ({ task, until }) => note(task, { outcome: 'snoozed', nextProcessAt: dateOf(until) }));
    events.on('returned', ({ task }) => note(task, { outcome: 'returned' }));
    events.on('requeued', ({ task }) => note(task, { outcome: 'requeued' }));
    // A run may hear of it while it goes on, or only when it has ended, or both.
    const told = new Set<string>();
    events.on('leaseLost', ({ task }) => {
      told.add(task.id);
      this.deps.onLost(task.queue, task.id);
      note(task, { outcome: 'lost' });
    });
    events.on('lateOutcome', ({ task }) => {
      if (told.delete(task.id)) return;
      note(task, { outcome: this.deps.isOrphan(task.queue, task.id) ? 'crashed' : 'lost' });
    });
  }

  /** What {@link since} is to be given to have the runs from now on. */
  get mark(): number {
    return this.#runs.length;
  }

  since(mark: number): readonly TaskRun[] {
    return this.#runs.slice(mark);
  }

  clear(): void {
    this.#runs = [];
  }
}
