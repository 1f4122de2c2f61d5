import type { PeriodicTask } from '../../engine/scheduler/periodic-tasks.js';
import type { Duration } from '../../model/time/duration.js';
import { periodicTasksKey } from '../asynq.tokens.js';
import type { ConfigurableOptions } from './configurable.js';
import { decorateMethod } from './decorate-method.js';

/** Options of {@link ProvidesPeriodicTasks}. */
export interface ProvidesPeriodicTasksOptions {
  /** How often the method is called. Default `'3m'`. */
  readonly syncInterval?: Duration | undefined;
  /** Name of the module instance that schedules. Default: the one registered without a name. */
  readonly instance?: string | undefined;
  /** Whether the method is called at all. Default true. */
  readonly enabled?: boolean | undefined;
}

/** The metadata that {@link ProvidesPeriodicTasks} adds to a method. */
export interface PeriodicTasksMetadata {
  readonly options: ConfigurableOptions<ProvidesPeriodicTasksOptions>;
}

/** A method decorator for methods that return periodic tasks, or a promise of them. */
export type ProvidesPeriodicTasksDecorator = <
  M extends () => readonly PeriodicTask[] | Promise<readonly PeriodicTask[]>,
>(
  target: object,
  method: string | symbol,
  descriptor: TypedPropertyDescriptor<M>,
) => void;

/**
 * Makes a method of a provider list the tasks to enqueue on schedules, for example from a database. It is called when
 * the application starts, which fails if the method fails, and then at every interval: new tasks are added, missing
 * ones are removed. While it fails, the last list stays in effect. Processes that do not schedule do not call it.
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
