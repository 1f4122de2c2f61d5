import type { PresenceContract } from '../../model/broker/presence.contract.js';
import type { ServerInfo } from '../../model/broker/presence.js';
import { BrokerUnavailableError } from '../../model/errors/broker-errors.js';
import { describeError } from '../../model/retry/describe-error.js';
import type { TaskMessage } from '../../model/task/task-message.js';
import type { Clock, Timer } from '../../model/time/clock.js';
import { ms, type Ms } from '../../model/time/duration.js';
import { startLimit } from '../../model/time/wait.js';
import type { Logger } from '../logger.js';

export interface UnservedQueuesDeps {
  readonly presence: Pick<PresenceContract, 'listServers'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long servers have to start after the first task of a queue. */
  readonly grace: Ms;
}

/** What is known about a queue. */
interface NotedQueue {
  readonly groups: Set<string>;
  /** What was not checked yet, a group or (`''`) the queue itself, and when it was noted by the monotonic clock. */
  readonly news: Map<string, Ms>;
  isWarnedOf: boolean;
}

/** A program that generates endless names must not fill memory with them. */
const maxQueues = 1_000;
const maxGroups = 50;
const maxNamed = 10;
/** What was noted within this time is checked together. */
const together = ms(1_000);

/**
 * Warns, once per queue, when no server reads a queue to which tasks are enqueued, or when no server that reads it
 * aggregates their groups: a misspelled name, or a worker that was not deployed. It checks the published servers once
 * per new queue or group, some time after its first task, so that a server can still start.
 */
export class UnservedQueues {
  readonly #queues = new Map<string, NotedQueue>();
  /** The last queue that got a task without a group; usually also the queue of the next one. */
  #lastQueue: string | undefined;
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(private readonly deps: UnservedQueuesDeps) {}

  /** Notes an enqueued task; costs one comparison unless its queue differs from the last one. */
  note({ queue, group }: Pick<TaskMessage, 'queue' | 'group'>): void {
    if (group === '' && queue === this.#lastQueue) return;
    let noted = this.#queues.get(queue);
    if (noted === undefined) {
      if (this.#queues.size >= maxQueues) return;
      noted = { groups: new Set(), news: new Map([['', this.deps.clock.monotonic()]]), isWarnedOf: false };
      this.#queues.set(queue, noted);
      this.#lookLater();
    }
    if (group === '') this.#lastQueue = queue;
    else if (noted.groups.size < maxGroups && !noted.groups.has(group)) {
      noted.groups.add(group);
      noted.news.set(group, this.deps.clock.monotonic());
      this.#lookLater();
    }
  }

  /** Stops checking. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #lookLater(): void {
    if (this.#timer !== undefined || this.#isStopped) return;
    const { clock, grace } = this.deps;
    let first = Infinity;
    for (const { news } of this.#queues.values()) for (const notedAt of news.values()) first = Math.min(first, notedAt);
    if (first === Infinity) return;
    // After a standstill a server of this very process is published anew first.
    this.#timer = startLimit(clock, ms(Math.max(0, first + grace - clock.monotonic())), () => void this.#look());
    this.#timer.unref?.();
  }

  /** Never rejects. */
  async #look(): Promise<void> {
    this.#timer = undefined;
    const looked = [...this.#queues].flatMap(([queue, noted]) => {
      const names = this.#takeDue(noted);
      return names.length === 0 || noted.isWarnedOf ? [] : [{ queue, noted, names }];
    });
    this.#lookLater();
    if (looked.length === 0) return;
    try {
      const servers = await this.deps.presence.listServers();
      if (this.#isStopped) return;
      for (const { queue, noted, names } of looked) {
        const warning = warningAbout({ queue, groups: names.filter((name) => name !== ''), servers });
        if (warning === undefined) continue;
        noted.isWarnedOf = true;
        this.deps.logger.warn(warning);
      }
    } catch (error) {
      this.deps.logger.debug(`Could not list the servers that read the queues: ${describeError(error)}`);
      if (!(error instanceof BrokerUnavailableError)) return;
      const now = this.deps.clock.monotonic();
      for (const { noted, names } of looked) for (const name of names) noted.news.set(name, now);
      this.#lookLater();
    }
  }

  /** Takes what was noted long enough ago. */
  #takeDue({ news }: NotedQueue): readonly string[] {
    const { clock, grace } = this.deps;
    const notedBy = clock.monotonic() + together - grace;
    const names = [...news].filter(([, notedAt]) => notedAt <= notedBy).map(([name]) => name);
    for (const name of names) news.delete(name);
    return names;
  }
}

function warningAbout(looked: {
  readonly queue: string;
  readonly groups: readonly string[];
  readonly servers: readonly ServerInfo[];
}): string | undefined {
  const { queue, groups, servers } = looked;
  const readers = servers.filter(({ queues }) => Object.hasOwn(queues, queue));
  if (readers.length === 0)
    return `No server reads queue "${queue}", so its tasks wait until one does: ${othersRead(servers)}`;
  const aggregated = readers.map(({ aggregates }) => aggregates);
  // A Go server does not publish what it aggregates, so it may be any group.
  if (aggregated.includes(undefined)) return undefined;
  const scopes = aggregated.flatMap((aggregates) => aggregates ?? []);
  const left = groups.filter(
    (group) => !scopes.some((of) => (of.queue ?? queue) === queue && group.startsWith(of.prefix)),
  );
  if (left.length === 0) return undefined;
  return `No server aggregates group ${listed(left)} of queue "${queue}", so its tasks wait until one does`;
}

function othersRead(servers: readonly ServerInfo[]): string {
  const queues = [...new Set(servers.flatMap((server) => Object.keys(server.queues)))].toSorted();
  if (queues.length === 0) return 'no server is alive';
  return `servers read ${listed(queues)}`;
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, maxNamed).map((name) => `"${name}"`);
  const others = names.length - shown.length;
  return `${shown.join(', ')}${others === 0 ? '' : ` and ${others.toLocaleString('en-US')} more`}`;
}
