import { TaskMux } from './task-mux.js';
import type { Handler } from '../middleware.js';
import type { GroupMux } from '../maintenance/group-mux.js';
import type { ResolvedServerOptions } from './server-options.js';

/** What a server's start line says about it. */
export interface StartedServer {
  /** Where the tasks are, without secrets. */
  readonly place: string;
  readonly options: Pick<ResolvedServerOptions, 'queues' | 'strictPriority' | 'concurrency'>;
  readonly handler: Handler | TaskMux;
  readonly groups: GroupMux;
  /** Whether it fetches tasks, or only aggregates groups. */
  readonly fetches: boolean;
}

const maxNamedQueues = 20;

/** Returns the start line of a server: where its tasks are, its queues, its concurrency and its handlers. */
export function startMessage({ place, options, handler, groups, fetches }: StartedServer): string {
  const handlers = handler instanceof TaskMux ? counted(handler.patterns.length, 'handler') : 'a handler of every type';
  const facts = fetches
    ? [describeQueues(options), `concurrency ${options.concurrency}`, handlers]
    : [describeQueues(options), 'no handlers, so no tasks are fetched'];
  if (!groups.isEmpty) facts.push(counted(groups.aggregates.length, 'aggregator'));
  return `Server started: ${[place, ...facts].join('; ')}`;
}

function describeQueues({ queues, strictPriority }: StartedServer['options']): string {
  const byWeight = Object.entries(queues).sort(([, a], [, b]) => b - a);
  if (byWeight.length === 1) return `queue ${byWeight[0]?.[0]}`;
  const named = byWeight.slice(0, maxNamedQueues).map(([name, weight]) => `${name} (${weight})`);
  const others = byWeight.length - named.length;
  const more = others === 0 ? '' : ` and ${others.toLocaleString('en-US')} more`;
  return `queues ${named.join(', ')}${more}${strictPriority ? ' in strict order' : ''}`;
}

function counted(count: number, what: string): string {
  return count === 1 ? `1 ${what}` : `${count.toLocaleString('en-US')} ${what}s`;
}
