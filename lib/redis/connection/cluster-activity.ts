import type { Clock } from '../../model/time/clock.js';
import type { Ms } from '../../model/time/duration.js';
import type { RedisClusterClient, RedisNodeClient } from './redis-client.js';
import { SocketActivity } from './socket-activity.js';

interface WatchedNode {
  readonly progress: SocketActivity;
  /** Since when it has owed replies and nothing has moved, as far as the checks show. */
  quietSince: Ms;
}

/**
 * Tracks which nodes of a cluster owe replies, and since when nothing has moved between them and us. The client does
 * not reveal to which node a command went, so this is known for nodes but not for commands.
 */
export class ClusterActivity {
  /** The nodes that owed something at the last check. */
  #owing = new Map<RedisNodeClient, WatchedNode>();

  constructor(
    private readonly client: RedisClusterClient,
    private readonly clock: Clock,
  ) {}

  look(): void {
    const now = this.clock.monotonic();
    const owing = new Map<RedisNodeClient, WatchedNode>();
    for (const node of this.client.nodes('all')) {
      if ((node.commandQueue?.length ?? 0) === 0) continue;
      const watched = this.#owing.get(node) ?? { progress: new SocketActivity(() => node.stream), quietSince: now };
      // Both must be called, since each compares with its last call.
      const hasSent = watched.progress.hasSent();
      if (watched.progress.hasReceived() || hasSent) watched.quietSince = now;
      owing.set(node, watched);
    }
    this.#owing = owing;
  }

  /** Returns since when nothing has moved to or from the quietest node; `undefined` if none owes anything. */
  quietSince(): Ms | undefined {
    return this.#quietest()?.[1].quietSince;
  }

  /** Closes the connection to that node; returns `false` if there is none. */
  cutQuietest(reason: Error): boolean {
    const [node] = this.#quietest() ?? [];
    if (node === undefined) return false;
    this.#owing.delete(node);
    node.stream?.destroy(reason);
    return true;
  }

  #quietest(): readonly [RedisNodeClient, WatchedNode] | undefined {
    let quietest: readonly [RedisNodeClient, WatchedNode] | undefined;
    for (const entry of this.#owing) {
      if (quietest === undefined || entry[1].quietSince < quietest[1].quietSince) quietest = entry;
    }
    return quietest;
  }
}
