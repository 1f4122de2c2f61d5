import type { ScheduleOptions } from '../../engine/scheduler/schedule.js';
import type { TaskDefinition } from '../../model/task/task-definition.js';
import { cronKey } from '../asynq.tokens.js';
import type { Configurable, ConfigurableOptions } from './configurable.js';
import { decorateMethod } from './decorate-method.js';
import type { TaskHandlerDecorator } from './task-handler.decorator.js';

/** Enqueue options of a schedule's tasks, as in `enqueue`. */
type CronTaskOptions = Pick<
  ScheduleOptions,
  'queue' | 'maxRetry' | 'timeout' | 'unique' | 'retention' | 'headers' | 'processIn'
>;

/** Options of {@link Cron}. */
export interface CronOptions<Given = unknown, Arriving = unknown>
  extends CronTaskOptions, Pick<ScheduleOptions, 'id' | 'timeZone' | 'catchUp' | 'overlap'> {
  /** Type of the tasks, or their definition. Default `cron:<id>`. */
  readonly type?: string | TaskDefinition<Given, Arriving> | undefined;
  /** Payload of every task. Default: none. */
  readonly payload?: NoInfer<Given> | undefined;
  /** Name of the module instance that schedules and handles. Default: the one registered without a name. */
  readonly instance?: string | undefined;
  /** Whether the schedule ticks. Tasks that were enqueued before are handled either way. Default true. */
  readonly enabled?: boolean | undefined;
}

/** The metadata that {@link Cron} adds to a method. */
export interface CronMetadata {
  readonly spec: Configurable<string>;
  readonly options: ConfigurableOptions<CronOptions>;
}

/**
 * Runs a method of a provider on a schedule. At each tick one task is enqueued for the whole fleet, however many
 * replicas run, and one worker handles it with this method, as if it were a {@link TaskHandler} of the task's type. It
 * may be used several times on one method, each with its own `id`.
 *
 * The schedule's `id` is `<Class>.<method>` unless given. It names the schedule in {@link AsynqScheduler}, in Asynq's
 * tools and in the module's option `scheduler.disabled`. Set an `id` if a bundler renames classes.
 *
 * The spec has five fields, or six with seconds, or is a descriptor such as `@daily` or `@every 5m` (S-143). The
 * application does not start with an invalid one.
 *
 * @example
 * @Injectable()
 * export class Backups {
 *   @Cron('0 2 * * *', { timeZone: 'Asia/Ho_Chi_Minh', queue: 'low', overlap: 'skip' })
 *   async backup(task: Task) {
 *     await this.dump({ signal: task.signal });
 *   }
 * }
 */
export function Cron<Given = unknown, Arriving = unknown>(
  spec: Configurable<string>,
  options: ConfigurableOptions<CronOptions<Given, Arriving>> = {},
): TaskHandlerDecorator<Arriving> {
  return (target, method, descriptor) => {
    const metadata: CronMetadata = { spec, options };
    decorateMethod({ decorator: '@Cron', target, method, descriptor }, { key: cronKey, metadata });
  };
}
