import type { Clock } from '../../model/time/clock.js';
import type { Ms } from '../../model/time/duration.js';
import { BlockingConnection, type BlockingConnectionDeps } from './blocking-connection.js';
import type { BlockingRequest, RedisReply } from './redis-connection.js';

export interface BlockingConnectionPoolDeps extends BlockingConnectionDeps {
  readonly clock: Clock;
  /** How many connections may wait at once. */
  readonly size: number;
}

interface LentConnection {
  readonly connection: BlockingConnection;
  /** Monotonic reading at its last use. */
  usedAt: Ms;
}

// A connection that has not been used for this long, in milliseconds, may be given to another key.
const keptIdleFor = 1_000;

/**
 * A bounded number of connections for waiting, each assigned to one connection key as long as that key keeps asking.
 */
export class BlockingConnectionPool {
  readonly #connections = new Map<string, LentConnection>();

  constructor(private readonly deps: BlockingConnectionPoolDeps) {}

  async send(request: BlockingRequest): Promise<RedisReply | 'busy' | 'aborted'> {
    if (request.signal.aborted) return 'aborted';
    const lent = this.#connections.get(request.connectionKey) ?? this.#lend(request.connectionKey);
    if (lent === undefined) return 'busy';
    try {
      return await lent.connection.send(request);
    } finally {
      lent.usedAt = this.deps.clock.monotonic();
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#connections.values()].map(({ connection }) => connection.close()));
  }

  #lend(name: string): LentConnection | undefined {
    const { clock, size } = this.deps;
    const now = clock.monotonic();
    const free =
      this.#connections.size < size
        ? { connection: new BlockingConnection(this.deps), usedAt: now }
        : this.#reclaim(now);
    if (free !== undefined) this.#connections.set(name, free);
    return free;
  }

  /** Takes the longest-idle connection from its key. */
  #reclaim(now: Ms): LentConnection | undefined {
    let rested: [string, LentConnection] | undefined;
    for (const [name, lent] of this.#connections) {
      if (lent.connection.isBusy || now - lent.usedAt < keptIdleFor) continue;
      if (rested === undefined || lent.usedAt < rested[1].usedAt) rested = [name, lent];
    }
    if (rested === undefined) return undefined;
    this.#connections.delete(rested[0]);
    return rested[1];
  }
}
