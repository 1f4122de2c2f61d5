/** Names of the places where options are given, for errors. */
const places = {
  task: 'enqueue and defineTask',
  server: 'the server',
  client: 'the client',
  scheduler: 'the scheduler',
  module: 'the module, or without Nest of client, server and scheduler',
} as const;

/** The equivalent of an option of another library. */
type ForeignName =
  | {
      /** The equivalent options; the first one that exists in the place is suggested. */
      readonly options: readonly string[];
      /** Where the last one is given; if omitted, the name has this meaning only where one of the options exists. */
      readonly of?: keyof typeof places;
      /** A sentence about the difference. */
      readonly note?: string;
    }
  | {
      /** There is no such option; says what to do instead. */
      readonly instead: string;
    };

/**
 * Options of BullMQ, Asynq for Go and @nestjs/schedule, in lower case. The pages docs/coming-from-*.md and
 * docs/scheduling.md list the same; a test compares them. Names that differ only in letter case need no entry.
 */
const foreignNames: Readonly<Record<string, ForeignName>> = {
  // Jobs of BullMQ.
  attempts: { options: ['maxRetry'], of: 'task', note: 'It counts the runs after the first: one less than attempts.' },
  delay: { options: ['processIn'], of: 'task' },
  jobid: { options: ['id', 'taskId'], of: 'task' },
  deduplication: { options: ['unique'], of: 'task', note: 'It is the time during which equal tasks are refused.' },
  debounce: { options: ['unique'], of: 'task', note: 'It is the time during which equal tasks are refused.' },
  backoff: { options: ['retryDelay'], of: 'server' },
  removeoncomplete: {
    options: ['retention'],
    of: 'task',
    note: 'It says how long a completed task is kept; without it the task is deleted.',
  },
  removeonfail: { instead: 'failed tasks are archived, at most 9,999 per queue for at most 90 days' },
  priority: { options: ['queue'], of: 'task', note: 'Queues have weights, in the option queues of the server.' },
  lifo: { instead: 'the task that waits longest is taken first' },
  repeat: { instead: 'schedule the task with @Cron or AsynqScheduler' },
  parent: { instead: 'enqueue the next task from the handler' },
  children: { instead: 'enqueue the next task from the handler' },
  opts: { options: ['options'] },
  // Queues and workers of BullMQ.
  connection: { options: ['redis'], of: 'module' },
  defaultjoboptions: { options: ['defaults'], of: 'client' },
  prefix: { instead: "Asynq's protocol fixes the key names" },
  limiter: { instead: 'throw a SnoozeError when the remote service asks you to slow down' },
  lockduration: { instead: 'the lease of a task is extended as long as its handler runs' },
  lockrenewtime: { instead: 'the lease of a task is extended as long as its handler runs' },
  stalledinterval: { instead: 'tasks of dead workers are recovered when their lease expires' },
  maxstalledcount: { instead: 'the run of a dead worker counts as a failure' },
  backoffstrategy: { options: ['retryDelay'], of: 'server' },
  // Asynq for Go.
  header: { options: ['headers'], of: 'task' },
  redisconnopt: { options: ['redis'], of: 'module' },
  retrydelayfunc: { options: ['retryDelay'], of: 'server' },
  healthcheckfunc: { options: ['healthCheck'], of: 'server' },
  groupaggregator: {
    options: ['aggregator'],
    of: 'server',
    note: 'In a Nest app it is a method with @TaskAggregator.',
  },
  basecontext: { instead: 'request-scoped providers are created for each task' },
  loglevel: { options: ['logger'], of: 'module', note: 'The logger sets the levels.' },
  location: { options: ['timeZone'], of: 'scheduler' },
  preenqueuefunc: { options: ['preEnqueue'], of: 'scheduler' },
  postenqueuefunc: { options: ['postEnqueue'], of: 'scheduler' },
  enqueueerrorhandler: { options: ['postEnqueue'], of: 'scheduler', note: 'It receives errors as well.' },
  periodictaskconfigprovider: { options: ['provider'] },
  cronspec: { options: ['spec'] },
  // @Cron of @nestjs/schedule, and the repeat options of BullMQ.
  name: { options: ['id'] },
  disabled: { options: ['enabled'], note: 'It has the opposite meaning.' },
  waitforcompletion: { options: ['overlap'], note: "overlap: 'skip' skips ticks while a task waits or runs." },
  utcoffset: { options: ['timeZone'], of: 'scheduler' },
  tz: { options: ['timeZone'], of: 'scheduler' },
};

/** Our own options, for users who give them in the wrong place. */
const ownNames: Readonly<Record<string, keyof typeof places>> = {
  queue: 'task',
  maxRetry: 'task',
  timeout: 'task',
  deadline: 'task',
  processAt: 'task',
  processIn: 'task',
  unique: 'task',
  taskId: 'task',
  retention: 'task',
  group: 'task',
  headers: 'task',
  concurrency: 'server',
  queues: 'server',
  strictPriority: 'server',
  retryDelay: 'server',
  isFailure: 'server',
  errorHandler: 'server',
  shutdownTimeout: 'server',
  healthCheck: 'server',
  unknownTask: 'server',
  enqueueTimeout: 'client',
  defaults: 'client',
  timeZone: 'scheduler',
  catchUp: 'scheduler',
  redis: 'module',
};

/** Returns a hint for an option of another library in a place with these options, as the end of a sentence. */
export function hintForForeign(name: string, options: readonly string[]): string | undefined {
  const key = name.toLowerCase();
  const foreign = Object.hasOwn(foreignNames, key) ? foreignNames[key] : undefined;
  if (foreign === undefined) return undefined;
  if ('instead' in foreign) return `there is no equivalent: ${foreign.instead}`;
  const note = foreign.note === undefined ? '' : ` ${foreign.note}`;
  const meant = foreign.options.find((option) => options.includes(option));
  if (meant !== undefined) return `did you mean ${meant}?${note}`;
  return foreign.of === undefined
    ? undefined
    : `use ${foreign.options.at(-1)}, an option of ${places[foreign.of]}.${note}`;
}

/** Returns a hint for one of our own options in the wrong place, as the end of a sentence. */
export function hintForMisplaced(name: string): string | undefined {
  const place = Object.hasOwn(ownNames, name) ? ownNames[name] : undefined;
  return place === undefined ? undefined : `it is an option of ${places[place]}`;
}
