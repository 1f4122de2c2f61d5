import type { Clock } from '../../model/time/clock.js';
import type { Ms } from '../../model/time/duration.js';
import type { RedisClusterClient, RedisNodeClient } from './redis-client.js';
import { SocketActivity } from './socket-activity.js';

interface WatchedNode {
  readonly progress: SocketActivity;
  /** Since when it owes replies and nothing has moved, as far as the looks tell. */
  quietSince: Ms;
}

/**
 * Sees which nodes of a cluster owe replies, and since when nothing has moved between them and us. The client does not
 * tell which node a command went to, so this is known of nodes and not of commands.
 */
export class ClusterActivity {
  /** Those that owed something at the last look. */
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
      // Both are to be asked, since each compares with when it was asked last.
      const hasSent = watched.progress.hasSent();
      if (watched.progress.hasReceived() || hasSent) watched.quietSince = now;
      owing.set(node, watched);
    }
    this.#owing = owing;
  }

  /** Since when nothing has moved to or from the node of which that is longest; `undefined` when none owes anything. */
  quietSince(): Ms | undefined {
    return this.#quietest()?.[1].quietSince;
  }

  /** Cuts the connection to that node; `false` when there is none. */
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
