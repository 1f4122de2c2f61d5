/** Where options are given, as errors name the place. */
const places = {
  task: 'enqueue and defineTask',
  server: 'the server',
  client: 'the client',
  scheduler: 'the scheduler',
  module: 'the module, or without Nest of client, server and scheduler',
} as const;

/** What an option of another library means here. */
type ForeignName =
  | {
      /** The options that mean it; the first one that exists at the place is proposed. */
      readonly options: readonly string[];
      /** Where the last one is given; left out: the name means this only where one of the options exists. */
      readonly of?: keyof typeof places;
      /** A sentence about the difference. */
      readonly note?: string;
    }
  | {
      /** There is no such option; what to do. */
      readonly instead: string;
    };

/**
 * Options of BullMQ, Asynq for Go and @nestjs/schedule, in lower case. The pages docs/coming-from-*.md and
 * docs/scheduling.md say the same; a test compares them. Names that differ in letter case only need no entry.
 */
const foreignNames: Readonly<Record<string, ForeignName>> = {
  // Jobs of BullMQ.
  attempts: { options: ['maxRetry'], of: 'task', note: 'It counts the runs after the first: one less than attempts.' },
  delay: { options: ['processIn'], of: 'task' },
  jobid: { options: ['id', 'taskId'], of: 'task' },
  deduplication: { options: ['unique'], of: 'task', note: 'It is the time for which equal tasks are refused.' },
  debounce: { options: ['unique'], of: 'task', note: 'It is the time for which equal tasks are refused.' },
  backoff: { options: ['retryDelay'], of: 'server' },
  removeoncomplete: {
    options: ['retention'],
    of: 'task',
    note: 'It says for how long a completed task is kept; without it the task is deleted.',
  },
  removeonfail: { instead: 'failed tasks are archived, at most 9,999 of a queue for at most 90 days' },
  priority: { options: ['queue'], of: 'task', note: 'Queues have weights, in the option queues of the server.' },
  lifo: { instead: 'the task that waits longest is taken first' },
  repeat: { instead: 'schedule the task with @Cron or AsynqScheduler' },
  parent: { instead: 'enqueue the next task from the handler' },
  children: { instead: 'enqueue the next task from the handler' },
  opts: { options: ['options'] },
  // Queues and workers of BullMQ.
  connection: { options: ['redis'], of: 'module' },
  defaultjoboptions: { options: ['defaults'], of: 'client' },
  prefix: { instead: 'keys have the names that Asynq gives them' },
  limiter: { instead: 'throw a SnoozeError when the other side asks to slow down' },
  lockduration: { instead: 'the lease of a task is extended for as long as its handler runs' },
  lockrenewtime: { instead: 'the lease of a task is extended for as long as its handler runs' },
  stalledinterval: { instead: 'tasks of workers that died are taken over when their lease has run out' },
  maxstalledcount: { instead: 'the run of a worker that died counts as a failure' },
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
  basecontext: { instead: 'request-scoped providers are made for each task' },
  loglevel: { options: ['logger'], of: 'module', note: 'The levels are those of the logger.' },
  location: { options: ['timeZone'], of: 'scheduler' },
  preenqueuefunc: { options: ['preEnqueue'], of: 'scheduler' },
  postenqueuefunc: { options: ['postEnqueue'], of: 'scheduler' },
  enqueueerrorhandler: { options: ['postEnqueue'], of: 'scheduler', note: 'It is told about errors as well.' },
  periodictaskconfigprovider: { options: ['provider'] },
  cronspec: { options: ['spec'] },
  // @Cron of @nestjs/schedule, and the repeat options of BullMQ.
  name: { options: ['id'] },
  disabled: { options: ['enabled'], note: 'It has the opposite meaning.' },
  waitforcompletion: { options: ['overlap'], note: "overlap: 'skip' leaves out ticks while a task is under way." },
  utcoffset: { options: ['timeZone'], of: 'scheduler' },
  tz: { options: ['timeZone'], of: 'scheduler' },
};

/** Our own options, for who gives them at another place. */
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

/** What an option that comes from elsewhere means at a place with these options, as a sentence's end. */
export function hintForForeign(name: string, options: readonly string[]): string | undefined {
  const key = name.toLowerCase();
  const foreign = Object.hasOwn(foreignNames, key) ? foreignNames[key] : undefined;
  if (foreign === undefined) return undefined;
  if ('instead' in foreign) return `there is nothing like it: ${foreign.instead}`;
  const note = foreign.note === undefined ? '' : ` ${foreign.note}`;
  const meant = foreign.options.find((option) => options.includes(option));
  if (meant !== undefined) return `did you mean ${meant}?${note}`;
  return foreign.of === undefined
    ? undefined
    : `use ${foreign.options.at(-1)}, an option of ${places[foreign.of]}.${note}`;
}

/** Where one of our own options is given that does not exist at a place, as a sentence's end. */
export function hintForMisplaced(name: string): string | undefined {
  const place = Object.hasOwn(ownNames, name) ? ownNames[name] : undefined;
  return place === undefined ? undefined : `it is an option of ${places[place]}`;
}
