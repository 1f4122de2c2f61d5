import type { PeriodicTask } from '../../engine/scheduler/periodic-tasks.js';
import type { Duration } from '../../model/time/duration.js';
import { periodicTasksKey } from '../asynq.tokens.js';
import type { ConfigurableOptions } from './configurable.js';
import { decorateMethod } from './decorate-method.js';

/** Options of {@link ProvidesPeriodicTasks}. */
export interface ProvidesPeriodicTasksOptions {
  /** How often the method is asked. Default `'3m'`. */
  readonly syncInterval?: Duration | undefined;
  /** Name of the module instance that schedules. Default: the one registered without a name. */
  readonly instance?: string | undefined;
  /** Whether the method is asked at all. Default true. */
  readonly enabled?: boolean | undefined;
}

/** What {@link ProvidesPeriodicTasks} leaves on a method. */
export interface PeriodicTasksMetadata {
  readonly options: ConfigurableOptions<ProvidesPeriodicTasksOptions>;
}

/** A method decorator for methods that list periodic tasks, at once or later. */
export type ProvidesPeriodicTasksDecorator = <
  M extends () => readonly PeriodicTask[] | Promise<readonly PeriodicTask[]>,
>(
  target: object,
  method: string | symbol,
  descriptor: TypedPropertyDescriptor<M>,
) => void;

/**
 * Makes a method of a provider say which tasks are to be enqueued on schedules, from a database for instance. It is asked
 * when the application starts, which fails if it fails, and then at every interval: what it lists anew is added, what it
 * lists no more is removed. While it fails the last list stays. Processes that do not schedule do not ask it.
 *
 * @example
 * @Injectable()
 * export class Reports implements PeriodicTaskProvider {
 *   constructor(private readonly reports: ReportRepository) {}
 *
 *   @ProvidesPeriodicTasks({ syncInterval: '1m' })
 *   async getTasks(): Promise<PeriodicTask[]> {
 *     const reports = await this.reports.all();
 *     return reports.map(({ id, spec }) => ({ spec, task: 'report:send', payload: { id } }));
 *   }
 * }
 */
export function ProvidesPeriodicTasks(
  options: ConfigurableOptions<ProvidesPeriodicTasksOptions> = {},
): ProvidesPeriodicTasksDecorator {
  return (target, method, descriptor) => {
    const metadata: PeriodicTasksMetadata = { options };
    decorateMethod(
      { decorator: '@ProvidesPeriodicTasks', target, method, descriptor },
      { key: periodicTasksKey, metadata },
    );
  };
}
